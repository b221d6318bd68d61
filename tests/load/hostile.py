"""Some 200 queries that mean harm, by kind, and what may come back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

ANSWERED, REFUSED, BOUNDED, LARGE = {200}, {400}, {200, 503}, {413, 414, 400, 431}


@dataclass(frozen=True)
class Hostile:
    """A query, and the statuses that its answer may have."""

    kind: str
    text: str | bytes
    statuses: frozenset[int]


def hostile(listener: int) -> Iterator[Hostile]:
    """All of them.

    Args:
        listener: a port of this machine at which nothing may ever be heard.
    """
    for kind, statuses, texts in (
        ("product", BOUNDED, _products()),
        ("path", BOUNDED, _paths()),
        ("text", BOUNDED, _texts()),
        ("pattern", BOUNDED, _patterns()),
        ("deep", REFUSED, _deep()),
        ("long", LARGE | BOUNDED, _long()),
        ("broken", REFUSED, _broken()),
        ("service", REFUSED, _services(listener)),
        ("dataset", BOUNDED | REFUSED, _datasets(listener)),
        ("update", REFUSED, _updates(listener)),
    ):
        for text in texts:
            yield Hostile(kind, text, frozenset(statuses))


def _products() -> Iterator[str]:
    product = "?a ?b ?c . ?d ?e ?f"
    for order in ("?f", "?f ?a", "DESC(?c)", "RAND()", "STR(?f)", "STRLEN(STR(?c))"):
        yield f"SELECT * {{ {product} }} ORDER BY {order} LIMIT 10"
    for count in (
        "COUNT(*)",
        "COUNT(DISTINCT ?f)",
        "SUM(STRLEN(STR(?f)))",
        "MAX(?f)",
        "SAMPLE(?f)",
    ):
        yield f"SELECT ({count} AS ?n) {{ {product} . ?g ?h ?i }}"
    for form in ("SELECT DISTINCT ?a ?f", "SELECT REDUCED ?a ?f", "SELECT *"):
        yield f"{form} {{ {product} . ?g ?h ?i }}"
    template = " ".join(f"?a <http://x/{n}> ?f ." for n in range(200))
    yield f"CONSTRUCT {{ {template} }} {{ {product} }}"
    yield "DESCRIBE ?s { ?s ?p ?o }"
    yield "DESCRIBE * { ?s ?p ?o . ?a ?b ?c }"
    yield f"ASK {{ {product} . ?g ?h ?i FILTER(?a = ?i && ?c = ?d && ?b = ?h && ?a = 1) }}"
    for number in range(4):
        values = " ".join(f"({n} {n + number})" for n in range(200))
        yield (
            f"SELECT (COUNT(*) AS ?n) {{ VALUES (?a ?b) {{ {values} }} "
            f"VALUES (?c ?d) {{ {values} }} VALUES (?e ?f) {{ {values} }} }}"
        )


def _paths() -> Iterator[str]:
    for path in (
        "((!<http://x/>)*)*", "(((!<http://x/>)*)*)*", "(!<http://x/>|!(^<http://x/>))+",
        "(!<http://x/>)+/(!<http://x/>)+", "(^(!<http://x/>))*/(!<http://x/>)*",
        "(!<http://x/>|^(!<http://x/>))*/(!<http://x/>|^(!<http://x/>))*",
        "(!(<http://x/>|^<http://x/>))*", "((!<http://x/>)?/(!<http://x/>)?)*",
    ):  # fmt: skip
        yield f"SELECT (COUNT(*) AS ?n) {{ ?s {path} ?o }}"
        yield f"SELECT DISTINCT ?s ?o {{ ?s {path} ?o . ?o {path} ?z }} ORDER BY ?o"


def _texts() -> Iterator[str]:
    yield "SELECT (GROUP_CONCAT(STR(?o)) AS ?all) { ?s ?p ?o . ?a ?b ?c }"
    yield 'SELECT (GROUP_CONCAT(STR(?f); SEPARATOR="xxxxxxxxxxxxxxxx") AS ?g) { ?a ?b ?c . ?d ?e ?f }'
    for pattern in ("(a+)+$", "(a|aa)+$", "(.*a){25}", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$"):
        yield (
            f"SELECT (COUNT(*) AS ?n) {{ ?a ?b ?c . ?d ?e ?f "
            f'FILTER(REGEX(CONCAT(STR(?c), STR(?f)), "{pattern}")) }}'
        )
    for count in (100, 1000, 1_000_000_000):
        yield f'SELECT * {{ ?s ?p ?o FILTER(REGEX(STR(?o), "(a{{1,{count}}}){{1,{count}}}")) }}'
    doubled = '"aaaaaaaaaaaaaaaa"'
    for _ in range(4):
        doubled = f'REPLACE({doubled}, ".", {doubled})'
    yield f"SELECT (STRLEN({doubled}) AS ?n) {{}}"
    for function in ("SHA512", "MD5", "ENCODE_FOR_URI", "UCASE"):
        inner = "CONCAT(STR(?c), STR(?f))"
        for _ in range(8):
            inner = f"{function}({inner})"
        yield f"SELECT (COUNT({inner}) AS ?n) {{ ?a ?b ?c . ?d ?e ?f }}"


def _patterns() -> Iterator[str]:
    yield "SELECT * { " + " . ".join(f"?a{n} ?b{n} ?c{n}" for n in range(14)) + " }"
    yield "SELECT (COUNT(*) AS ?n) { " + " UNION ".join(["{ ?s ?p ?o }"] * 300) + " }"
    yield "SELECT * { ?s ?p ?o " + "OPTIONAL { ?x ?y ?z } " * 20 + "}"
    yield "SELECT * { ?s ?p ?o " + "OPTIONAL { ?o ?p ?z } " * 300 + "} LIMIT 1"
    yield "SELECT * { ?s ?p ?o MINUS { ?a ?b ?c . ?s ?q ?c . ?x ?y ?a } }"
    yield "SELECT * { ?a ?b ?c . ?d ?e ?f FILTER NOT EXISTS { ?a ?x ?f . ?f ?y ?z } }"
    nested = "?s ?p ?o"
    for number in range(12):
        nested = f"{{ SELECT ?s {{ {nested} . ?s ?p{number} ?o{number} }} }}"
    yield f"SELECT (COUNT(*) AS ?n) {{ {nested} }}"
    for number in range(8):
        filters = " ".join(f"FILTER(?c != {n} && ?f > {n})" for n in range(40 * (number + 1)))
        yield f"SELECT (COUNT(*) AS ?n) {{ ?a ?b ?c . ?d ?e ?f {filters} }}"
    yield "SELECT * { " + " ".join(f"BIND({n} AS ?x{n})" for n in range(400)) + " ?s ?p ?o }"
    yield "SELECT ?x { VALUES ?x { " + " ".join(map(str, range(20_000))) + " } } ORDER BY DESC(?x)"


def _deep() -> Iterator[str]:
    for depth in (1_000, 20_000):
        yield "SELECT * " + "{" * depth + "}" * depth
        yield "SELECT * { FILTER(" + "(" * depth + "1" + ")" * depth + ") }"
        yield "SELECT * { ?s " + "(" * depth + "<http://x/>" + ")" * depth + " ?o }"
        yield "SELECT * { ?s <http://x/> " + "[ <http://x/> " * depth + "1" + "]" * depth + " }"
        yield "SELECT * { ?s <http://x/> " + "( " * depth + "1" + ")" * depth + " }"
        yield "SELECT * " + "{ SELECT * " * depth + "{}" + "}" * depth
        yield (
            "ASK { FILTER(NOT EXISTS "
            + "{ FILTER(NOT EXISTS " * depth
            + "{}"
            + ") }" * depth
            + ") }"
        )
    for count in (20_000, 50_000):
        yield "ASK { FILTER(" + "!" * count + "true) }"
        yield "ASK { FILTER(1" + "+1" * count + ") }"
        yield "ASK { FILTER(true" + "||true" * count + ") }"
        yield "ASK { ?s <a:b>" + "/<a:b>" * count + " ?o }"
        yield "ASK { ?s <a:b>" + "|<a:b>" * count + " ?o }"
    yield "ASK { " + "OPTIONAL {} " * 20_000 + " }"
    yield "ASK { {}" + " UNION {}" * 20_000 + " }"


def _long() -> Iterator[str]:
    yield "SELECT * { ?s ?p ?o } #" + "x" * 1_000_000
    yield "SELECT * { ?s ?p '" + "x" * 1_000_000 + "' }"
    yield "SELECT * { ?s ?p <http://x/" + "x" * 1_000_000 + "> }"
    yield "SELECT * { ?s ?p ?" + "x" * 1_000_000 + " }"
    yield "SELECT * { " + "?s ?p ?o . " * 100_000 + " }"
    yield " " * 1_000_000 + "ASK {}"
    yield "ASK {" + "\n" * 1_000_000 + "}"
    yield "".join(f"PREFIX p{n}: <http://x/{n}> " for n in range(5_000)) + "ASK {}"
    yield "SELECT * { VALUES ?x { " + "'a' " * 60_000 + "} ?s ?p ?x }"
    yield "SELECT " + " ".join(f"?v{n}" for n in range(30_000)) + " { ?s ?p ?o }"


def _broken() -> Iterator[str | bytes]:
    yield from (
        "", " ", "\n", "#", "SELECT", "SELECT *", "SELECT * {", "SELECT * }", "{}", "ASK", "ASK {{}",
        "SELECT ? {}", "SELECT * { ?s ?p }", "SELECT * { ?s ?p ?o", "SELECT * { ?s ?p 'x }",
        'SELECT * { ?s ?p "x }', "SELECT * { ?s ?p '''x }", 'SELECT * { ?s ?p """x" }',
        "SELECT * { ?s ?p <http://x }", "SELECT * { ?s ?p x:y }", "PREFIX x: ASK {}", "BASE ASK {}",
        "PREFIX <http://x/> ASK {}", "SELECT (COUNT(*) AS) {}", "SELECT ?s { ?s ?p ?o } GROUP BY ?p",
        "ASK {} ASK {}", "ASK {} ; ASK {}", "SELECT * { ?s ?p ?o } LIMIT x", "DESCRIBE", "CONSTRUCT {",
        "SELECT * { FILTER }", "SELECT * { BIND(1 AS 2) }", "EXPLAIN ASK {}", "\\u12", "\\uD800 ASK {}",
        "\\U00110000", "SELECT * { ?s ?p ?o } HAVING", "<html>", "null", "[]",
        "' OR 1=1 --", "SELECT * { ?s ?p 1e }", "SELECT * { ?s ?p \x00 }", "SELECT * { ?s ?p 'a\nb' }",
        "a-" * 100_000, "a." * 100_000, "\"'\\" * 60_000, "'''\"\"\"\n" * 20_000, "<" * 200_000,
        "@" * 200_000, "\\" * 200_000, "?" * 200_000, "(" * 200_000, "%" * 200_000,
    )  # fmt: skip
    yield from (
        b"\xff\xfe",
        b"ASK { ?s ?p '\xc0\xaf' }",
        b"ASK { ?s ?p '\xed\xa0\x80' }",
        b"\x80ASK {}",
        b"ASK {} \xe2\x82",
        b"ASK { ?s ?p '\xf4\x90\x80\x80' }",
        b"ASK { ?s ?p '\xed\xa0\xbd\xed\xb8\x80' }",
        b"ASK { ?s ?p '\xf8\x88\x80\x80\x80' }",
        b"A\x00S\x00K\x00 \x00{\x00}\x00",
        b"\xff\xfeA\x00S\x00K\x00 \x00{\x00}\x00",
        b"ASK { ?s ?p <http://x/\xfc> }",
        b"ASK {} # \xe9",
    )


def _services(port: int) -> Iterator[str]:
    call = f"<http://127.0.0.1:{port}/>"
    for text in (
        f"SERVICE {call} {{ ?s ?p ?o }}", f"SERVICE SILENT {call} {{ ?s ?p ?o }}",
        f"sErViCe#c\n{call} {{ ?s ?p ?o }}", f"SERVICE{call} {{ ?s ?p ?o }}",
        f"SERVICESILENT{call} {{ ?s ?p ?o }}", "SERVICE x:y { ?s ?p ?o }", "SERVICEx:y { ?s ?p ?o }",
        f"\\u0053ERVICE {call} {{ ?s ?p ?o }}", f"S\\u0045RVIC\\U00000045 {call} {{ ?s ?p ?o }}",
        f"{{ SELECT * {{ SERVICE {call} {{ ?s ?p ?o }} }} }}", f"SERVICE\t{call}{{?s ?p ?o}}",
        f"?a ?b ?c FILTER EXISTS {{ SERVICE {call} {{ ?s ?p ?o }} }}",
        f"?a ?b ?c FILTER NOT EXISTS {{ SERVICE {call} {{ ?s ?p ?o }} }}",
        f"?a ?b ?c OPTIONAL {{ SERVICE {call} {{ ?s ?p ?o }} }}", "SERVICE ?x { ?s ?p ?o }",
        f"?a ?b ?c MINUS {{ SERVICE {call} {{ ?s ?p ?o }} }}", "BIND(1 AS ?x) SERVICE ?x {}",
        f"GRAPH ?g {{ SERVICE {call} {{ ?s ?p ?o }} }}", f"{{}} UNION {{ SERVICE {call} {{}} }}",
        f"VALUES ?x {{ {call} }} SERVICE ?x {{ ?s ?p ?o }}", f"?a ?b 1SERVICE {call} {{}}",
        f"?a ?b 'x'SERVICE {call} {{}}", f"?a ?b ?c.SERVICE {call} {{}}",
        f"SERVICE#\u000a{call} {{}}", f"\\U00000073\\u0065rvice{call} {{}}", f"{{}}SERVICE{call}{{}}",
        f"SERVICE \\u003Chttp://127.0.0.1:{port}/\\u003E {{}}", f"BIND(EXISTS {{ SERVICE {call} {{}} }} AS ?x)",
        f"?a ?b '#' . SERVICE {call} {{}}", f"?a ?b <#> . SERVICE {call} {{}}", f"SERVICE\r\n{call} {{}}",
        f"?a ?b '\\\\'SERVICE {call} {{}}", f"?a ?b \"\"\"\"x\"\"\"SERVICE {call} {{}}",
        f"VALUES ?x {{ 1 }} SERVICE {call} {{}}", f"?a ?b 1.SERVICE {call} {{}}",
        f"?a ?b true . SERVICE {call} {{ SERVICE {call} {{}} }}", f"?a ^?b/SERVICE {call} {{}}",
    ):  # fmt: skip
        yield f"PREFIX x: <http://127.0.0.1:{port}/> SELECT * {{ {text} }}"
    called = f"{{ SERVICE {call} {{ ?s ?p ?o }} }}"
    yield from (
        f"ASK {called}", f"CONSTRUCT {{ ?s ?p ?o }} {called}", f"DESCRIBE ?s {called}",
        f"SELECT (EXISTS {called} AS ?x) {{}}", f"SELECT * {{}} ORDER BY (EXISTS {called})",
        f"SELECT * {{}} GROUP BY (EXISTS {called} AS ?x)", f"CONSTRUCT WHERE {called}",
        f"SELECT (1 AS ?n) {{}} HAVING (EXISTS {called})", f"BASE {call} SELECT * {{ SERVICE <> {{}} }}",
        f"PREFIX SERVICE: {call} SELECT * {{ SERVICE SERVICE: {{}} }}",
        f"ASK FROM <a:b> WHERE {called} VALUES ?x {{ 1 }}",
    )  # fmt: skip


def _datasets(port: int) -> Iterator[str]:
    for clause in (
        f"FROM <http://127.0.0.1:{port}/>", f"FROM NAMED <http://127.0.0.1:{port}/>",
        "FROM <file:///etc/passwd>", "FROM NAMED <file:///etc/passwd>", "FROM <urn:x> FROM <urn:y>",
        "FROM <data:text/turtle,%3Ca%3E%20%3Cb%3E%201>",
    ):  # fmt: skip
        yield f"SELECT * {clause} {{ ?s ?p ?o }}"
        yield f"ASK {clause} {{ GRAPH ?g {{ ?s ?p ?o }} }}"


def _updates(port: int) -> Iterator[str]:
    call = f"<http://127.0.0.1:{port}/>"
    yield from (
        "INSERT DATA { <a:b> <a:c> 1 }", "DELETE WHERE { ?s ?p ?o }", "CLEAR ALL", "DROP ALL",
        f"LOAD {call}", f"LOAD SILENT {call} INTO GRAPH <a:b>", "LOAD <file:///etc/passwd>",
        "CREATE GRAPH <a:b>", "MOVE DEFAULT TO <a:b>", "WITH <a:b> DELETE { ?s ?p ?o } WHERE {}",
        "ASK {} ; DROP ALL", "DROP ALL ; ASK {}", "\\u0044ROP ALL", "PREFIX x: <a:b> DROP ALL",
    )  # fmt: skip
