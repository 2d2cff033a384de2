"""A reward for short completions: 1 for an empty one, falling to 0 at 100 words."""

from avatar_core.rewards import register


@register("brevity")
def brevity(texts, sample):
    """Score each completion of a group by its length alone."""
    del sample
    return [max(0.0, 1 - len(text.split()) / 100) for text in texts]
