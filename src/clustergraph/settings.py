"""Settings: declared once, with default and help; read once; passed down.

A value comes from, first wins: the caller (a flag), the environment (``CG_NAME``), the project's
``clustergraph.toml``, the default declared here.
"""

from __future__ import annotations

import functools
import os
import re
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from clustergraph.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT_FILE = "clustergraph.toml"
"""The file that makes a folder a project."""

ENVIRONMENT_PREFIX = "CG_"


_NO_IRI = re.compile(r"[\x00-\x20<>\"{}|\\^`]")
_CHOICES = {
    "default_graph": ("merge", "separate"),
    "blank_nodes": ("skolemise", "keep", "refuse"),
    "store_auth": ("basic", "digest"),
}
_SHORT = {"store": "store.query"}
"""Settings that stand outside any table, and the place where they could stand too."""
_ADDRESSES = (
    "store",
    "store_update",
    "store_graphs",
    "store_restricted",
    "store_restricted_update",
)


def _setting(help_text: str, default: Any, *, key: str, secret: bool = False) -> Any:
    """Declare a setting: ``key`` is its place in the TOML file (``table.name``)."""
    metadata = {"help": help_text, "key": key, "secret": secret}
    return field(default=default, repr=not secret, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of one project; immutable."""

    project: Path
    """The project's folder."""
    variable: Path
    """Where releases are kept (``var``)."""
    written_base: str
    """The base IRI in which the project's files are written."""

    base: str = _setting(
        "Base IRI under which the graph is published; ends with '/'", "", key="project.base"
    )
    slug: str = _setting("Short name of the dataset, used in its IRI", "", key="project.slug")
    title: str = _setting("Title of the dataset", "", key="project.title")
    description: str = _setting(
        "What the dataset is, in a sentence or two", "", key="project.description"
    )
    publisher: str = _setting("Who publishes the dataset", "", key="project.publisher")
    licence: str = _setting("IRI of the licence of the data", "", key="project.licence")
    issued: str = _setting(
        "Day on which the dataset was first issued (YYYY-MM-DD)", "", key="project.issued"
    )
    modified: str = _setting(
        "Day of the dataset's last change (YYYY-MM-DD)", "", key="project.modified"
    )
    keywords: tuple[str, ...] = _setting(
        "Words by which catalogues find the dataset", (), key="project.keywords"
    )
    themes: tuple[str, ...] = _setting(
        "What the dataset is about: codes of the EU's data themes (ECON, TECH ...), or IRIs",
        (),
        key="project.themes",
    )
    contact: str = _setting(
        "Where questions go: an IRI of a page, or mailto: of a mailbox that is nobody's own",
        "",
        key="project.contact",
    )
    example: str = _setting(
        "An IRI under the base that shows best what is here", "", key="project.example"
    )
    languages: tuple[str, ...] = _setting(
        "Languages of labels, the preferred one first", ("en",), key="project.languages"
    )
    default_graph: str = _setting(
        'What a query without GRAPH sees: "merge" (all public graphs) or "separate"',
        "merge",
        key="dataset.default-graph",
    )
    restricted: tuple[str, ...] = _setting(
        "Graphs whose IRI, relative to the base, starts so are restricted",
        ("graph/restricted/",),
        key="dataset.restricted",
    )
    texts: str = _setting(
        "Folder with the texts of sources (*.txt), from which pages then show passages; "
        "empty: none are shown",
        "",
        key="evidence.texts",
    )
    host: str = _setting("Address to listen on", "127.0.0.1", key="server.host")
    port: int = _setting("Port to listen on", 8080, key="server.port")
    public_url: str = _setting(
        "Address at which the site is reached from outside, without a final '/'; "
        "empty: links are relative to the host",
        "",
        key="server.public-url",
    )
    trusted_hosts: tuple[str, ...] = _setting(
        "Host names that requests may carry; empty: any", (), key="server.trusted-hosts"
    )
    trusted_proxies: int = _setting(
        "Proxies in front of the server whose X-Forwarded-For is believed",
        0,
        key="server.trusted-proxies",
    )
    cache: int = _setting("Memory for whole answers, in MiB; 0: none", 64, key="server.cache")
    log: bool = _setting(
        "Whether a line of JSON is written for each request (standard error)",
        True,
        key="server.log",
    )
    in_flight: int = _setting(
        "Pages and documents worked on at once; more are answered 503", 16, key="server.in-flight"
    )
    queries_in_flight: int = _setting(
        "Queries and writes waited for at once, slow readers among them; more are answered 503",
        128,
        key="server.queries-in-flight",
    )
    downloads_in_flight: int = _setting(
        "Dumps that are downloaded at once; more are answered 503",
        64,
        key="server.downloads-in-flight",
    )
    max_body: int = _setting("Largest request body, in bytes", 1_048_576, key="server.max-body")
    max_query: int = _setting("Longest SPARQL text, in characters", 262_144, key="query.max-length")
    max_nesting: int = _setting(
        "Deepest nesting of brackets in a SPARQL text", 64, key="query.max-nesting"
    )
    query_seconds: int = _setting("Longest run of a query, in seconds", 30, key="query.seconds")
    query_memory: int = _setting(
        "Memory that a query may take beside the graph, in MiB", 1024, key="query.memory"
    )
    max_answer: int = _setting("Longest answer to a query, in MiB", 1024, key="query.max-answer")
    fast_lane: int = _setting("Light queries that run at once", 4, key="query.fast-lane")
    slow_lane: int = _setting("Long queries that run at once", 4, key="query.slow-lane")
    per_client: int = _setting(
        "Queries of one client that run at once; more of them wait", 8, key="query.per-client"
    )
    client_budget: int = _setting(
        "Processor time that one client's queries may use at once, in seconds; one second of it "
        "comes back in each",
        120,
        key="query.client-budget",
    )
    in_memory: int = _setting(
        "Largest graph that is held in memory for queries, in quads",
        12_000_000,
        key="query.in-memory",
    )
    update_graph: str = _setting(
        "Graph, relative to the base, that takes what is written without naming a graph",
        "graph/curation",
        key="dataset.update-graph",
    )
    blank_nodes: str = _setting(
        'Blank nodes in what is written over HTTP: "skolemise" (they get IRIs), "keep" or "refuse"',
        "skolemise",
        key="dataset.blank-nodes",
    )
    derive: bool = _setting(
        "Whether inferences and the catalogue are computed into graphs of their own",
        True,
        key="dataset.derive",
    )
    max_upload: int = _setting(
        "Largest document that is written over HTTP, in MiB once it is decompressed",
        64,
        key="write.max-upload",
    )
    write_seconds: int = _setting(
        "Longest time that a write may take, in seconds", 120, key="write.seconds"
    )
    write_memory: int = _setting(
        "Memory that the writer may take, in MiB", 4096, key="write.memory"
    )
    dump_seconds: int = _setting(
        "Dumps are not begun more often than once in so many seconds",
        600,
        key="releases.dump-seconds",
    )
    feed_page: int = _setting(
        "Members on a page of the change feed, and pages that one of its index pages names",
        200,
        key="feed.page",
    )
    keep: int = _setting("Number of releases to keep", 20, key="releases.keep")
    keep_days: int = _setting(
        "For so many days the last release of each day is kept", 30, key="releases.keep-days"
    )

    store: str = _setting(
        "Address of the SPARQL engine that holds the current release (or, as the first line: "
        'store = "https://engine/sparql"); empty: the store that comes with the program',
        "",
        key="store.query",
    )
    store_update: str = _setting(
        "Address at which the engine takes updates; empty: found out", "", key="store.update"
    )
    store_graphs: str = _setting(
        "Address of the engine's graph store protocol; empty: found out", "", key="store.graphs"
    )
    store_user: str = _setting("User of the engine", "", key="store.user")
    store_password: str = _setting(
        "Its password; best set by CG_STORE_PASSWORD", "", key="store.password", secret=True
    )
    store_token: str = _setting(
        "Bearer token for the engine; best set by CG_STORE_TOKEN",
        "",
        key="store.token",
        secret=True,
    )
    store_auth: str = _setting(
        'How user and password are sent: "basic" or "digest"', "basic", key="store.auth"
    )
    store_ca_file: str = _setting(
        "File of the certificates that are trusted for the engine; empty: those of the system",
        "",
        key="store.ca-file",
    )
    store_verify: bool = _setting(
        "Whether the engine's certificate is checked", True, key="store.verify"
    )
    store_seconds: int = _setting(
        "Longest silence of the engine while it is written to, in seconds",
        600,
        key="store.seconds",
    )
    store_restricted: str = _setting(
        "Address of a second dataset on the engine that holds everything, for tokens that may read "
        "what is restricted; empty: they are answered here",
        "",
        key="store.restricted",
    )
    store_restricted_update: str = _setting(
        "Address at which that one takes updates; empty: found out",
        "",
        key="store.restricted-update",
    )

    def iri(self, path: str) -> str:
        """The IRI of ``path`` under the base."""
        return self.base + path

    @property
    def dataset_iri(self) -> str:
        """The IRI of the dataset."""
        return self.iri(f"dataset/{self.slug}")

    @property
    def stem(self) -> str:
        """How files of the dataset are called, before their suffixes."""
        return re.sub(r"[^A-Za-z0-9_-]+", "-", self.slug).strip("-") or "dataset"

    def is_restricted(self, graph: str) -> bool:
        """Whether the graph named ``graph`` may not leave for a public surface."""
        return graph.startswith(self._restricted)

    @functools.cached_property
    def _restricted(self) -> tuple[str, ...]:
        return tuple(self.iri(prefix) for prefix in self.restricted)


def declared() -> tuple[tuple[str, str, Any, str], ...]:
    """All settings that a project may set: (name, key in TOML, default, help)."""
    return tuple(
        (each.name, each.metadata["key"], each.default, each.metadata["help"])
        for each in fields(Settings)
        if each.metadata
    )


def secrets() -> frozenset[str]:
    """The names of the settings whose values are never shown."""
    return frozenset(each.name for each in fields(Settings) if each.metadata.get("secret"))


def to_environment(settings: Settings) -> dict[str, str]:
    """The settings as environment variables, so that a process of ours reads the same."""
    values = {"CG_PROJECT": str(settings.project), "CG_VAR": str(settings.variable)}
    for name, _key, _default, _help in declared():
        value = getattr(settings, name)
        text = ",".join(value) if isinstance(value, tuple) else str(value)
        values[ENVIRONMENT_PREFIX + name.upper()] = text
    return values


def default_project() -> Path:
    """The project that comes with the program: in the wheel, or the checkout we run from.

    Raises:
        SettingsError: the installation has lost it.
    """
    here = Path(__file__).resolve().parent
    for candidate in (here / "project", here.parent.parent):
        if (candidate / PROJECT_FILE).is_file():
            return candidate
    raise SettingsError(
        f"The project that comes with clustergraph is missing below {here}.",
        hint="Install the package again, or name a project folder with --project.",
    )


def find_project(start: Path | None = None) -> Path:
    """The project to work on: the nearest folder upwards with a project file, else the default."""
    folder = (start or Path.cwd()).resolve()
    for candidate in (folder, *folder.parents):
        if (candidate / PROJECT_FILE).is_file():
            return candidate
    return default_project()


def load(
    project: Path | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    **overrides: Any,
) -> Settings:
    """Read the settings of a project.

    Args:
        project: the project's folder; None: found by ``find_project``.
        environment: stands in for ``os.environ``.
        overrides: settings by name, which win over all else; None means not given. Also
            ``variable``, the folder of releases.

    Raises:
        SettingsError: no such project, a file that is not TOML, an unknown key, a bad value.
    """
    env = os.environ if environment is None else environment
    if project is None and env.get("CG_PROJECT"):
        project = Path(env["CG_PROJECT"])
    folder = find_project() if project is None else project.resolve()
    path = folder / PROJECT_FILE
    if not path.is_file():
        raise SettingsError(
            f"{folder} is not a project: it has no {PROJECT_FILE}.",
            hint=f"Make one with: clustergraph init {folder}",
        )
    values = _from_toml(path)
    written_base = _base(values.get("base") or "https://w3id.org/clustergraph/", path)
    for name, _key, default, _help in declared():
        text = env.get(ENVIRONMENT_PREFIX + name.upper())
        if text:
            values[name] = _coerce(name, text, default)
    variable = overrides.pop("variable", None) or env.get("CG_VAR")
    for name, value in overrides.items():
        if value is not None:
            values[name] = value
    values["base"] = _base(values.get("base") or written_base, path)
    values.setdefault("slug", folder.name.lower().replace("_", "-").replace(" ", "-"))
    values.setdefault("title", values["slug"])
    for name, allowed in _CHOICES.items():
        if values.get(name, allowed[0]) not in allowed:
            key = next(key for each, key, _default, _help in declared() if each == name)
            raise SettingsError(
                f'{path}: {key} is "{values[name]}".',
                hint="It must be one of: " + ", ".join(f'"{each}"' for each in allowed) + ".",
            )
    for name in _ADDRESSES:
        _check_address(name, values.get(name, ""), path)
    for name in ("licence", "contact", "themes"):
        value = values.get(name, "")
        for each in value if isinstance(value, tuple) else (value,):
            if _NO_IRI.search(each):
                key = next(key for known, key, _default, _help in declared() if known == name)
                raise SettingsError(f'{path}: {key}: "{each}" is no IRI.')
    return Settings(
        project=folder,
        variable=Path(variable).resolve() if variable else _variable(folder, values["slug"]),
        written_base=written_base,
        **values,
    )


def _check_address(name: str, value: str, path: Path) -> None:
    """Refuse an address that is none, or that holds a password: addresses are shown."""
    key = next(key for known, key, _default, _help in declared() if known == name)
    if value and not (value.startswith(("http://", "https://")) and not _NO_IRI.search(value)):
        raise SettingsError(f"{path}: {key} must be an address that starts with http or https.")
    if "@" in value.partition("://")[2].partition("/")[0]:
        raise SettingsError(
            f"{path}: {key} holds a user or a password.",
            hint="Set them apart: CG_STORE_USER and CG_STORE_PASSWORD.",
        )


def _variable(folder: Path, slug: str) -> Path:
    """The folder of releases: in the project, unless that is an installed package."""
    if folder == Path(__file__).resolve().parent / "project":
        return Path(platformdirs.user_data_dir("clustergraph")) / slug
    return folder / "var"


def _from_toml(path: Path) -> dict[str, Any]:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
    known = {key: (name, default) for name, key, default, _help in declared()}
    values: dict[str, Any] = {}
    for table, content in tables.items():
        if table in _SHORT and isinstance(content, str):
            values[table] = content
            continue
        for key, value in content.items() if isinstance(content, dict) else ():
            place = f"{table}.{key}"
            if place not in known:
                raise SettingsError(
                    f"{path}: unknown setting {place}.",
                    hint="Known: " + ", ".join(sorted(known)),
                )
            name, default = known[place]
            values[name] = _check(name, value, default, path)
        if not isinstance(content, dict):
            raise SettingsError(f"{path}: {table} stands outside any table such as [project].")
    return values


def _check(name: str, value: Any, default: Any, path: Path) -> Any:
    """A value of the type that the default has, or a SettingsError."""
    if isinstance(default, tuple) and isinstance(value, list):
        if all(isinstance(item, str) for item in value):
            return tuple(value)
    elif type(value) is type(default):
        return value
    kind = "a list of strings" if isinstance(default, tuple) else f"a {type(default).__name__}"
    raise SettingsError(f"{path}: {name} must be {kind}, not {value!r}.")


def _coerce(name: str, text: str, default: Any) -> Any:
    """A value out of the environment, in the type that the default has."""
    if isinstance(default, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if isinstance(default, bool):
        if text.lower() in {"true", "false"}:
            return text.lower() == "true"
        variable = ENVIRONMENT_PREFIX + name.upper()
        raise SettingsError(f"{variable} must be true or false, not {text!r}.")
    if isinstance(default, int):
        try:
            return int(text)
        except ValueError as error:
            variable = ENVIRONMENT_PREFIX + name.upper()
            raise SettingsError(f"{variable} must be a number, not {text!r}.") from error
    return text


def _base(value: str, path: Path) -> str:
    if not value.startswith(("http://", "https://")) or not value.endswith("/"):
        raise SettingsError(
            f"{path}: the base IRI {value!r} cannot be used.",
            hint="It must start with http:// or https:// and end with '/'.",
        )
    return value
