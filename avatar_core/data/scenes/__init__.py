"""The embedded world: mp4 clips of moving, flashing, sounding shapes, and questions about them."""

from avatar_core.data.scenes.draw import TEMPLATES, Drawn, make_scene
from avatar_core.data.scenes.library import cache_directory, scene_samples
from avatar_core.data.scenes.questions import Question, Template
from avatar_core.data.scenes.render import encode_clip
from avatar_core.data.scenes.world import Scene, Thing, split_of

__all__ = [
    "TEMPLATES",
    "Drawn",
    "Question",
    "Scene",
    "Template",
    "Thing",
    "cache_directory",
    "encode_clip",
    "make_scene",
    "scene_samples",
    "split_of",
]
