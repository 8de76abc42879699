"""Tokens of an issuer: whose, for whom, signed how, until when; and keys that change."""

import base64
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey
from tests.services.api.fakes import NOW, World

from sensorcast_api.metrics import ApiMetrics
from sensorcast_api.oidc.claims import ClaimRules, Refused, credential
from sensorcast_api.oidc.issuer import IssuerAway, IssuerKeys, fetch_json
from sensorcast_api.oidc.tokens import Tokens
from sensorcast_api.settings import ApiSettings
from sensorcast_common.settings import SettingsError, load
from sensorcast_common.tables.api_keys import Role

ISSUER = "https://issuer.example/pool"
SECONDS = NOW // 1000
RULES = ClaimRules(issuer=ISSUER, audiences=frozenset({"page"}))
CLAIMS: dict[str, object] = {
    "iss": ISSUER,
    "aud": "page",
    "sub": "u-1",
    "tenant": "acme",
    "role": "operator",
    "name": "Ada",
    "iat": SECONDS,
    "exp": SECONDS + 300,
}


@dataclass
class Issuer:
    """An issuer whose answers a test decides."""

    keys: dict[str, ECKey | RSAKey] = field(default_factory=lambda: {"k1": ECKey.generate_key("P-256")})
    asked: list[str] = field(default_factory=list)
    away: bool = False
    monotonic: float = 0.0

    async def fetch(self, url: str) -> object:
        self.asked.append(url)
        if self.away:
            raise TimeoutError
        if url.endswith("/.well-known/openid-configuration"):
            return {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}
        return {"keys": [key.as_dict(private=False) | {"kid": kid, "use": "sig"} for kid, key in self.keys.items()]}

    def source(self) -> IssuerKeys:
        return IssuerKeys(ISSUER, fetch=self.fetch, monotonic=lambda: self.monotonic)

    def sign(self, claims: dict[str, object], *, kid: str = "k1", alg: str = "ES256", key: ECKey | None = None) -> str:
        signed = jws.serialize_compact(
            {"alg": alg, "kid": kid}, json.dumps(claims).encode(), key or self.keys[kid], algorithms=[alg]
        )
        return str(signed)


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def world(issuer: Issuer) -> World:
    world: World

    def tokens(metrics: ApiMetrics) -> Tokens:
        return Tokens(issuer.source(), RULES, algorithms=["ES256", "RS256"], clock=lambda: world.now, metrics=metrics)

    world = World(tokens=tokens)
    return world


async def test_a_token_opens_its_tenant_in_its_role_and_ends(world: World, issuer: Issuer) -> None:
    async with world.client(key=issuer.sign(CLAIMS)) as client:
        me = (await client.get("/v1/me")).json()
        assert (me["tenant"], me["role"], me["name"]) == ("acme", "operator", "Ada")
        assert (await client.get("/v1/devices/truck-9")).status_code == 404
        assert (await client.get("/v1/keys")).status_code == 403
        world.now += 359_999
        assert (await client.get("/v1/me")).status_code == 200
        world.now += 1
        assert (await client.get("/v1/me")).status_code == 401
    assert len(issuer.asked) == 2
    async with world.client() as client:
        assert (await client.get("/v1/me")).json()["role"] == "viewer"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://issuer.example"},
        {"aud": "another"},
        {"aud": ["another"], "client_id": "page"},
        {"aud": None},
        {"exp": SECONDS - 60},
        {"exp": None},
        {"exp": "tomorrow"},
        {"nbf": SECONDS + 61},
        {"iat": SECONDS + 61},
        {"tenant": None},
        {"tenant": "a#b"},
        {"tenant": ["acme"]},
        {"role": "root"},
        {"role": None},
        {"sub": None},
    ],
)
async def test_a_token_that_says_something_else_opens_nothing(
    world: World, issuer: Issuer, changed: dict[str, object]
) -> None:
    claims = {name: value for name, value in (CLAIMS | changed).items() if value is not None}
    async with world.client(key=issuer.sign(claims)) as client:
        answer = await client.get("/v1/me")
    assert answer.status_code == 401
    assert answer.json()["detail"] == "The API key or token is not valid."


async def test_only_the_issuers_asymmetric_signature_counts(world: World, issuer: Issuer) -> None:
    public = issuer.keys["k1"].as_pem(private=False)
    good = issuer.sign(CLAIMS)
    head, body, signature = good.split(".")
    symmetric = _b64(b'{"alg":"HS256","kid":"k1"}') + "." + body
    confused = symmetric + "." + _b64(hmac.digest(public, symmetric.encode(), "sha256"))
    none = _b64(b'{"alg":"none","kid":"k1"}') + f".{body}."
    forged = issuer.sign(CLAIMS, key=ECKey.generate_key("P-256"))
    for token in (confused, none, forged, f"{head}.{body}.", f"{head}.{body}.{signature[:-4]}AAAA", "a.b.c", "x"):
        async with world.client(key=token) as client:
            assert (await client.get("/v1/me")).status_code == 401, token
    async with world.client(key=good) as client:
        assert (await client.get("/v1/me")).status_code == 200


async def test_new_keys_are_found_and_invented_ones_do_not_flood_the_issuer(issuer: Issuer) -> None:
    keys = issuer.source()
    assert await keys.key("k1") is not None
    issuer.keys = {"k2": RSAKey.generate_key(2048)}
    assert await keys.key("k2") is None
    issuer.monotonic += 31
    assert await keys.key("k2") is not None
    assert await keys.key("k1") is None
    asked = len(issuer.asked)
    for number in range(50):
        assert await keys.key(f"invented-{number}") is None
    assert len(issuer.asked) == asked
    issuer.away = True
    issuer.monotonic += 3601
    assert await keys.key("k2") is not None


async def test_an_issuer_that_was_never_there_is_not_the_callers_fault(world: World, issuer: Issuer) -> None:
    issuer.away = True
    async with world.client(key=issuer.sign(CLAIMS)) as client:
        assert (await client.get("/v1/me")).status_code == 503
    with pytest.raises(IssuerAway):
        await issuer.source().key("k1")


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def test_cognitos_tokens_are_understood() -> None:
    rules = ClaimRules(
        issuer=ISSUER,
        audiences=frozenset({"app"}),
        tenant_claim="custom:tenant",
        role_claim="cognito:groups",
        roles={"drivers": Role.VIEWER, "fleet-admins": Role.ADMIN},
    )
    access = CLAIMS | {"client_id": "app", "custom:tenant": "acme", "cognito:groups": ["drivers", "fleet-admins", "x"]}
    del access["aud"]
    found = credential(access, rules, now=NOW)
    assert (found.tenant, found.role) == ("acme", Role.ADMIN)
    assert found.key_id == credential(access | {"iat": SECONDS + 5}, rules, now=NOW).key_id


@given(
    st.dictionaries(
        st.sampled_from([*CLAIMS, "client_id", "nbf"]), st.none() | st.text() | st.floats() | st.lists(st.text())
    )
)
def test_no_claim_is_too_strange(changed: dict[str, object]) -> None:
    with suppress(Refused):
        assert credential(CLAIMS | changed, RULES, now=NOW).tenant == (CLAIMS | changed)["tenant"]


@pytest.fixture
async def server() -> AsyncIterator[str]:
    async def document(request: web.Request) -> web.Response:
        match request.path:
            case "/large":
                return web.Response(text="[" + " " * 300_000 + "]")
            case "/moved":
                raise web.HTTPFound("/good")
            case _:
                return web.Response(text='{"keys": []}', content_type="application/jwk-set+json")

    app = web.Application()
    app.router.add_get("/{name}", document)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_documents_are_small_and_where_they_are_said_to_be(server: str) -> None:
    assert await fetch_json(f"{server}/good") == {"keys": []}
    for path in ("large", "moved"):
        with pytest.raises(ValueError, match=path):
            await fetch_json(f"{server}/{path}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALGORITHMS", "HS256"),
        ("ALGORITHMS", "none"),
        ("AUDIENCE", ""),
        ("ROLES", "a=root"),
        ("ISSUER", "http://x.org"),
    ],
)
def test_settings_that_let_the_wrong_ones_in_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("SENSORCAST_OIDC_ISSUER", ISSUER)
    monkeypatch.setenv("SENSORCAST_OIDC_AUDIENCE", "page")
    monkeypatch.setenv("SENSORCAST_OIDC_ROLES", "drivers=viewer,admins=admin")
    rules = load(ApiSettings).claim_rules()
    assert rules is not None
    assert rules.roles == {"drivers": Role.VIEWER, "admins": Role.ADMIN}
    monkeypatch.setenv(f"SENSORCAST_OIDC_{name}", value)
    with pytest.raises(SettingsError, match=f"OIDC_{name}"):
        load(ApiSettings)
