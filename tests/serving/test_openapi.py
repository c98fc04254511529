"""What the OpenAPI document says is what the service does: schemathesis makes the requests up."""

from __future__ import annotations

import asyncio

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from stream_rec.config import Settings
from stream_rec.serving.app import create_app
from stream_rec.serving.keys import Keys
from tests.serving.conftest import serving

EXAMPLES_PER_ROUTE = 20
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


async def test_every_answer_is_documented(settings: Settings) -> None:
    serve = settings.serve.model_copy(update={"wait_ms_max": 1})  # no made-up event ever comes
    async with serving(settings.model_copy(update={"serve": serve})) as served:
        transport = httpx.ASGITransport(create_app(served.service, Keys([])))
        document = (await served.client.get("/openapi.json")).json()
        loop = asyncio.get_running_loop()
        n_cases = await asyncio.to_thread(_try_all, document, transport, loop)
    assert n_cases > 10 * EXAMPLES_PER_ROUTE // 2


def _try_all(
    document: dict[str, object], transport: httpx.ASGITransport, loop: asyncio.AbstractEventLoop
) -> int:
    n_cases = 0

    async def ask(request: httpx.Request) -> httpx.Response:
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.send(request)

    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = result.ok()
        if operation.path.endswith("/stream"):
            continue

        @given(case=operation.as_strategy())
        @hypothesis_settings(
            max_examples=EXAMPLES_PER_ROUTE,
            phases=[Phase.generate],
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        def check(case: schemathesis.Case) -> None:
            nonlocal n_cases
            n_cases += 1
            arguments = case.as_transport_kwargs(base_url="http://localhost")
            arguments.pop("cookies", None)
            request = httpx.Request(
                arguments["method"],
                arguments["url"],
                params=arguments.get("params"),
                headers=dict(arguments.get("headers") or {}),
                json=arguments.get("json"),
            )
            answer = asyncio.run_coroutine_threadsafe(ask(request), loop).result(30)
            case.validate_response(
                schemathesis.Response.from_httpx(answer, verify=False), checks=CHECKS
            )

        check()
    return n_cases
