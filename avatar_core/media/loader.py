"""Media for prompts: decoded in worker processes, in parallel, ahead of use, and kept for reuse.

They are kept in memory, and on disk for later runs if the environment says so, see `disk_cache`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import NamedTuple

from avatar_core.config.media import MediaConfig
from avatar_core.errors import MediaError
from avatar_core.media.cache import ClipCache
from avatar_core.media.content import content_digest
from avatar_core.media.disk_cache import clip_name, configured_cache
from avatar_core.media.folder import is_folder, list_pictures
from avatar_core.media.pool import WorkerPool
from avatar_core.media.source import check_file
from avatar_core.media.wire import clip_from
from avatar_core.types import AudioMode, Clip, MediaRef

UNSEEN = ("workers", "deadline_seconds", "cache_bytes")
"""Settings that no clip depends on."""


class _Key(NamedTuple):
    """What a decoded clip depends on, besides the loader's settings.

    Attributes:
        file: path, modification time, size and inode (of a folder: of its pictures): stands for the
            content until that is known.
        request: kind, window, pictures per second of a folder and use of sound.
    """

    file: Hashable
    request: tuple[str | float | None, ...]


class MediaLoader:
    """Loads clips by reference; use it in a `with` statement, or close it.

    Workers start with the first file that is not in the cache. All methods may be called from
    several threads. Arrays of a returned clip belong to the caller.
    """

    def __init__(self, config: MediaConfig) -> None:
        """Start nothing yet.

        Args:
            config: how media are read. With `cache_bytes` 0 nothing is kept, on disk neither.

        Raises:
            UsageError: the environment asks for a cache on disk in a way that makes no sense.
        """
        self.config = config
        self._settings = config.model_dump(mode="json")
        self._cache = ClipCache(config.cache_bytes)
        self._disk = configured_cache(os.environ) if config.cache_bytes else None
        self._hashes: dict[Hashable, str] = {}
        self._pending: dict[_Key, Future[Clip]] = {}
        self._lock = threading.Lock()
        self._pool = WorkerPool(config.workers)
        self._threads = ThreadPoolExecutor(config.workers, thread_name_prefix="media")

    def load(self, ref: MediaRef, *, audio: AudioMode | None = None) -> Clip:
        """Decode a file, or take it from the cache or from a prefetch under way.

        Args:
            ref: the file or folder of pictures, its kind and an optional window.
            audio: use of a video's sound; `None` for that of the configuration.

        Raises:
            MediaError: the file cannot be read as asked.
            NoSoundError: sound is required and the file has none.
            MediaTimeout: it took longer than the deadline.
        """
        key, future = self._future(ref, audio)
        return self._claim(key, future, ref)

    def load_many(
        self, refs: Sequence[MediaRef], *, audio: AudioMode | None = None
    ) -> list[Clip | MediaError]:
        """Decode files in parallel; the clip or the error of each, in the order of `refs`."""
        begun: list[tuple[_Key, Future[Clip]] | MediaError] = []
        for ref in refs:
            try:
                begun.append(self._future(ref, audio))
            except MediaError as error:
                begun.append(error)
        return [
            entry if isinstance(entry, MediaError) else self._outcome(*entry, ref)
            for entry, ref in zip(begun, refs, strict=True)
        ]

    def prefetch(self, refs: Sequence[MediaRef], *, audio: AudioMode | None = None) -> None:
        """Start decoding files without waiting; what is wrong with one is raised by `load`."""
        for ref in refs:
            with contextlib.suppress(MediaError):
                self._future(ref, audio)

    def close(self) -> None:
        """End the workers and drop what was decoded; requests under way fail."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._pool.interrupt()
        self._threads.shutdown(wait=True)
        self._pool.close()
        self._cache.clear()

    def __enter__(self) -> MediaLoader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _future(self, ref: MediaRef, audio: AudioMode | None) -> tuple[_Key, Future[Clip]]:
        """The decode of a file: done, under way or begun now."""
        mode = self.config.audio if audio is None else audio
        key = _key(ref, mode, self.config)
        with self._lock:
            future = self._pending.get(key)
            if future is None and (clip := self._cached(key)) is not None:
                future = Future()
                future.set_result(clip)
            elif future is None:
                future = self._threads.submit(self._decode, key, ref, mode)
                self._pending[key] = future
        return key, future

    def _cached(self, key: _Key) -> Clip | None:
        """The clip of a file whose content is known and was decoded the same way."""
        content = self._hashes.get(key.file)
        return None if content is None else self._cache.get((content, key.request))

    def _decode(self, key: _Key, ref: MediaRef, mode: AudioMode) -> Clip:
        """Take a clip from disk or have a worker decode it; runs in a thread of the loader."""
        clip = self._stored(key, ref)
        if clip is None:
            path = os.path.abspath(ref.path)
            request = {"ref": asdict(ref) | {"path": path}, "audio": mode, "config": self._settings}
            answer = self._pool.ask(request, ref.path, self.config.deadline_seconds)
            clip = clip_from(answer, ref)
            if self._disk is not None:
                self._disk.put(self._name(clip.content_hash, key), clip)
        with self._lock:
            self._hashes[key.file] = clip.content_hash
            if self._cache.put((clip.content_hash, key.request), clip):
                self._pending.pop(key, None)
        return clip

    def _stored(self, key: _Key, ref: MediaRef) -> Clip | None:
        """The clip that is on disk; `None` where there is none or no such cache."""
        if self._disk is None:
            return None
        return self._disk.get(self._name(content_digest(ref, self.config), key), ref)

    def _name(self, content: str, key: _Key) -> str:
        """Name of a clip on disk."""
        seen = {name: value for name, value in self._settings.items() if name not in UNSEEN}
        return clip_name(content, key.request, seen)

    def _claim(self, key: _Key, future: Future[Clip], ref: MediaRef) -> Clip:
        """Wait for a decode and take its clip; the caller gets arrays of its own."""
        try:
            clip = future.result()
        finally:
            with self._lock:
                if self._pending.get(key) is future:
                    del self._pending[key]
        return replace(
            clip,
            ref=ref,
            frames=None if clip.frames is None else clip.frames.copy(),
            sound=None if clip.sound is None else clip.sound.copy(),
        )

    def _outcome(self, key: _Key, future: Future[Clip], ref: MediaRef) -> Clip | MediaError:
        """The clip of a decode, or why there is none."""
        try:
            return self._claim(key, future, ref)
        except MediaError as error:
            return error


def _key(ref: MediaRef, mode: AudioMode, config: MediaConfig) -> _Key:
    """Identity of a request; `MediaError` when there is no such file or folder."""
    sound = mode if ref.kind == "video" else None
    return _Key(_file(ref, config), (ref.kind, ref.start, ref.end, ref.fps, sound))


def _file(ref: MediaRef, config: MediaConfig) -> Hashable:
    """Identity of what is read, without opening it; see `_Key.file`."""
    path = os.path.abspath(ref.path)
    if is_folder(ref):
        listing = repr(list_pictures(ref, config))
        return (path, hashlib.blake2b(listing.encode()).digest())
    status = check_file(ref.path, config)
    return (path, status.st_ino, status.st_size, status.st_mtime_ns)
