"""All codes in their order: 1xx a document, 2xx what documents say about one another, 3xx loading, 4xx running."""

from collections.abc import Mapping

from floe_core.error_codes import documents, orchestration, references, running, sources
from floe_core.error_codes.error_code import ErrorCode

ERROR_CODES: Mapping[str, ErrorCode] = {
    **documents.CODES,
    **references.CODES,
    **sources.CODES,
    **orchestration.CODES,
    **running.CODES,
}
