"""The queries of ``bench/workload``: each alone, servers in turns, and the light ones as a mix."""

from __future__ import annotations

import http.client
import itertools
import math
import random
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench import machine
from bench.client import Answer, Client, canonical, crowd
from bench.results import OURS, Crowd, Measured, Peer
from bench.running import MissingError, Running

_FOLDER = Path(__file__).resolve().parent / "workload"
_LIGHT = ("01-describe", "09-co-signers", "11-union", "14-provenance", "08-date-range", "04-star")
_TOPICS = ("Photonics", "Batteries", "Hydrogen", "Textiles", "Aerospace", "Maritime", "Robotics")
_COUNTRIES = ("AT", "BE", "DE", "ES", "FI", "FR", "IT", "PL", "SE")
_WARM, _COLD = 1, 500_000


def workload() -> dict[str, str]:
    """The queries, by name; ``$N`` and the like stand for what changes from text to text."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(_FOLDER.glob("*.rq"))}


def texts(template: str, seed: int) -> Iterator[str]:
    """Queries of a kind, without end, none of them twice."""
    chance = random.Random(seed)  # noqa: S311  no secret
    for number in itertools.count():
        text = template.replace("$N", str(chance.randrange(60)))
        text = text.replace("$TOPIC", chance.choice(_TOPICS))
        text = text.replace("$COUNTRY", chance.choice(_COUNTRIES))
        text = text.replace("$YEAR", str(chance.randint(2018, 2024)))
        yield f"# {seed}.{number}\n" + text.replace("$D", str(chance.randrange(10)))


def alone(
    kind: str, servers: Mapping[str, Running], found: Mapping[str, Peer], *,
    rounds: Mapping[str, int], limits: Mapping[str, float],
) -> None:  # fmt: skip
    """Ask a kind of query: the first text is the cold one, more are warm.

    Every server gets the same text before any gets the next; who begins changes from text to text.
    What answers otherwise than most do (and ours, where it is one against one) is wrong.

    Args:
        kind: name of the query.
        servers: by name.
        found: what was measured, by name of server; filled.
        rounds: how many texts, by name of server.
        limits: seconds that an answer may take, by name of server.
    """
    names = list(servers)
    clients = {name: Client(servers[name].endpoint, limits[name]) for name in names}
    asked = itertools.islice(texts(workload()[kind], _WARM), max(rounds.values()) + 1)
    with machine.pinned(machine.CLIENT):
        for number, text in enumerate(asked):
            turn = number % len(names)
            answers: dict[str, int] = {}
            for name in names[turn:] + names[:turn]:
                measured = found[name].queries.setdefault(kind, Measured())
                if measured.failure or measured.limit or number > rounds[name]:
                    continue
                answer = _ask(clients[name], text, servers[name], measured, limits[name])
                if answer is None:
                    continue
                try:
                    answers[name] = hash(canonical(text, answer.body))
                except (ValueError, SyntaxError, KeyError) as error:
                    measured.failure = f"no answer: {error}"[:120]
                    continue
                if number == 0:
                    measured.cold.append(answer.seconds)
                else:
                    measured.seconds.append(answer.seconds)
                    measured.first.append(answer.first)
            right = _agreed(answers)
            for name, came in answers.items():
                found[name].queries[kind].wrong += came != right
    for client in clients.values():
        client.close()


def _ask(
    client: Client, text: str, server: Running, measured: Measured, limit: float
) -> Answer | None:
    """An answer; none where there was none in time, and then nobody works on it any more."""
    try:
        answer = client.ask(text)
    except TimeoutError:
        measured.limit = limit
        client.close()
        try:
            server.relieve()
        except MissingError as error:
            measured.failure = str(error)[:120]
        return None
    except (OSError, http.client.HTTPException) as error:
        measured.failure = f"{type(error).__name__}: {error}"[:120]
        client.close()
        return None
    if answer.status != 200:
        measured.failure = f"answered {answer.status}"
        return None
    return answer


def _agreed(answers: Mapping[str, int]) -> int | None:
    """What most answered; where as many say another thing, not what we do."""
    counts = Counter(answers.values())
    return max(counts, key=lambda each: (counts[each], each != answers.get(OURS)), default=None)


def cold(server: Running, peer: Peer, limit: float) -> None:
    """Each kind once, of a server that has just started; texts that are not asked elsewhere.

    The files may be in the memory of the system: what is cold is the server.
    """
    client = Client(server.endpoint, limit)
    seed = _COLD + len(peer.starts)
    with machine.pinned(machine.CLIENT):
        for kind, template in workload().items():
            measured = peer.of(kind)
            if not (measured.failure or measured.limit):
                answer = _ask(client, next(texts(template, seed)), server, Measured(), limit)
                if answer is not None:
                    measured.cold.append(answer.seconds)
    client.close()


def together(
    server: Running, peer: Peer, clients: int, seconds: float, limit: float
) -> Crowd | None:
    """The light queries from several clients at once; none where the server has no light ones.

    Args:
        server: whom they ask.
        peer: what it answered alone; what it failed at is not asked.
        clients: how many they are.
        seconds: how long.
        limit: seconds that an answer may take.
    """
    templates = workload()
    light = [templates[kind] for kind in _LIGHT if not math.isnan(peer.of(kind).median)]
    if not light:
        return None

    def queries(number: int) -> Iterator[str]:
        kinds = [texts(each, 1000 + 97 * number + clients) for each in light]
        chance = random.Random(number)  # noqa: S311  no secret
        while True:
            yield next(chance.choice(kinds))

    with machine.pinned(machine.CLIENT):
        rate, times, failures = crowd(server.endpoint, clients, seconds, queries, limit)
    slow = statistics.quantiles(times, n=100)[98] if len(times) > 2 else math.nan
    return Crowd(rate, slow, failures)
