"""Endpoints that refuse files, over real HTTP and by both APIs: turns go on, and all is said."""

import re
from collections.abc import AsyncGenerator, Sequence
from uuid import uuid4

import pytest

from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.adapters.openai.api import Api
from chatbridge.adapters.openai.models import Endpoint, openai_model
from chatbridge.adapters.openai.opening import Opening
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.turn_event import ToolCallFinished, TurnEvent
from chatbridge.ports.pdf_text import PdfText
from tests.contracts.agent_runner import heard, kept, text_of
from tests.contracts.task_tools import TaskTools
from tests.files_of_people import PDF, WORD, office, picture, recording, told_pdf
from tests.integration.seeing_endpoint import (
    Json,
    Refusal,
    SeeingEndpoint,
    files_of,
    kinds_of,
    messages_of,
    texts_of,
)
from tests.shelf import Shelf

APIS: tuple[Api, ...] = ("responses", "chat_completions")
PICTURES, DOCUMENTS = ("input_image", "image_url"), ("input_file", "file")


class Texts(PdfText):
    """Reads what `told_pdf` has written; `tests/unit/adapters/test_pdf_text.py` has a real one."""

    async def text_of(self, pdf: bytes, most: int) -> str | None:
        """See the port."""
        return "\n".join(re.findall(r"\((.+)\) Tj", pdf.decode())) or None


class Chat:
    """A person with files before a model of a new endpoint, and all that was said."""

    def __init__(
        self, endpoint: SeeingEndpoint, api: Api, runner: OpenAIAgentRunner, shelf: Shelf
    ) -> None:
        self.endpoint, self.api, self.shelf = endpoint, api, shelf
        self._runner = runner
        self.window: list[Message] = []

    async def ask(self, text: str, *files: tuple[str, str, bytes]) -> list[str]:
        """The notices of the turn; it was answered."""
        self.window.append(self.shelf.message(text, *files))
        events = await heard(self._runner, *self.window)
        assert text_of(events) == "Seen."
        self.window += kept(events)
        return notices(events)

    @property
    def kinds(self) -> list[list[str]]:
        """The files of each request."""
        return [kinds_of(asked) for asked in self.endpoint.requests]


def notices(events: list[TurnEvent]) -> list[str]:
    return [event.output for event in events if isinstance(event, ToolCallFinished)]


@pytest.fixture(scope="module", params=APIS)
def api(request: pytest.FixtureRequest) -> Api:
    return request.param


@pytest.fixture(scope="module")
async def endpoint(api: Api) -> AsyncGenerator[tuple[SeeingEndpoint, Endpoint]]:
    async with SeeingEndpoint().running() as seeing:
        assert isinstance(seeing, SeeingEndpoint)
        models = openai_model(model="", base_url=seeing.url, api_key=None, api=api)
        yield seeing, models
        await models.close()


@pytest.fixture
def chat(endpoint: tuple[SeeingEndpoint, Endpoint], api: Api) -> Chat:
    """With a model of which nothing is known yet."""
    seeing, models = endpoint
    seeing.requests.clear()
    seeing.judge, seeing.says = (lambda asked: None), (lambda asked: "Seen.")
    shelf = Shelf()
    opening = Opening(shelf, Texts(), max_characters=1_000)
    model = models.named(f"model-{uuid4().hex}")
    runner = OpenAIAgentRunner(model, TaskTools(), instructions="Help.", opening=opening)
    return Chat(seeing, api, runner, shelf)


CAT = ("cat.png", "image/png", picture())
DOG = ("dog.png", "image/png", picture("PNG", (20, 20)))
LETTER = ("letter.pdf", "application/pdf", told_pdf("Dear Bob", "Yours, Alice"))
NOT_GIVEN = "The model that answers can't be given what is in this file."


def error(message: str, **more: object) -> Json:
    return {"error": {"message": message, **more}}


def refusing(kinds: Sequence[str], status: int, body: object, least: int = 1) -> object:
    def judge(asked: Json) -> Refusal | None:
        found = [kind for kind in kinds_of(asked) if kind in kinds]
        return Refusal(status, body) if len(found) >= least else None

    return judge


NO_PICTURES = [
    # llama.cpp, of two ages
    (
        500,
        error(
            "image input is not supported - hint: if this is unexpected, you may need to "
            "provide the mmproj",
            code=500,
            type="server_error",
        ),
    ),
    (
        500,
        error(
            'Failed to parse messages: Unsupported content part type: "image_url"; '
            'messages = [{"role":"user","content":[{"type":"image_url","image_url":{"url":'
            '"data:image/png;base64,iVBORw0KGgo"}}]}]',
            code=500,
        ),
    ),
    # vLLM
    (
        400,
        {
            "object": "error",
            "message": "At most 0 image(s) may be provided in one request.",
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        },
    ),
    # Ollama, OpenRouter and who copies it, OpenAI, Azure, Copilot, DeepSeek, LM Studio, Mistral
    (400, error("this model does not support image input (ref: b8bd630e)")),
    (404, error("No endpoints found that support image input", code=404)),
    (
        400,
        error(
            "Invalid content type. image_url is only supported by certain models.",
            type="invalid_request_error",
            param="messages.[1].content.[1].type",
        ),
    ),
    (400, error('model "claude-opus-4.6" not supported for vision')),
    (
        400,
        error(
            "Failed to deserialize the JSON body into the target type: messages[1]: unknown "
            "variant `image_url`, expected `text` at line 1 column 212"
        ),
    ),
    (400, error("Model does not support images. Please use a model that does.")),
    (400, error("The provided model is not a vision model. Please provide a vision model.")),
    (400, error("Image input modality is not enabled for models/m", code="3051")),
    (422, {"detail": "该模型不支持图片输入"}),
    (415, error("multimodal input is not supported by this model")),
]


@pytest.mark.parametrize(("status", "body"), NO_PICTURES)
async def test_pictures_that_are_refused_are_words_and_that_is_remembered(
    chat: Chat, status: int, body: Json
) -> None:
    chat.endpoint.judge = refusing(PICTURES, status, body)
    assert await chat.ask("what is it?", CAT) == [NOT_GIVEN]
    assert len(chat.kinds) == 2
    assert "“cat.png” (image/png, " in chat.endpoint.read
    assert "It can't be given to you." in chat.endpoint.read
    # another picture is not even tried
    assert await chat.ask("and this?", DOG) == [NOT_GIVEN]
    assert chat.kinds[2:] == [[]]
    # all of it is one text, which the strictest template takes
    for asked in messages_of(chat.endpoint.requests[-1]):
        assert isinstance(asked.get("content"), str) or asked["role"] == "assistant"


NO_DOCUMENTS = [
    (
        400,
        error(
            "Invalid value: file. Supported values are: 'text','image_url','video_url' and 'video'."
        ),
    ),
    (400, error("Unsupported chat content part type: 'file'. Supported types: text, image_url")),
    (400, error("Invalid type for 'input[0].content[1]': input_file is not supported")),
    (
        422,
        {
            "detail": [
                {
                    "type": "literal_error",
                    "loc": ["body", "messages", 1, "content", 1, "type"],
                    "msg": "Input should be 'text' or 'image_url'",
                }
            ]
        },
    ),
    (500, error("Internal Server Error")),
    (400, error("Invalid API parameter, please check the documentation.", code="1210")),
]


@pytest.mark.parametrize(("status", "body"), NO_DOCUMENTS)
async def test_a_pdf_that_is_refused_is_its_text(chat: Chat, status: int, body: Json) -> None:
    chat.endpoint.judge = refusing(DOCUMENTS, status, body)
    assert await chat.ask("read it", LETTER) == []
    assert "Dear Bob" in chat.endpoint.read
    assert "Yours, Alice" in chat.endpoint.read
    before = len(chat.kinds)
    assert await chat.ask("and now?") == []
    assert chat.kinds[before:] == [[]]
    assert "Dear Bob" in chat.endpoint.read


async def test_a_pdf_without_a_text_that_can_be_read_is_words(chat: Chat) -> None:
    chat.endpoint.judge = refusing(DOCUMENTS, 400, error("file is not supported"))
    scan, broken = ("scan.pdf", "application/pdf", told_pdf("")), ("no.pdf", "application/pdf", PDF)
    assert await chat.ask("read it", scan, broken) == [NOT_GIVEN, NOT_GIVEN]


UNREADABLE = [
    (400, error("Could not process image", type="invalid_request_error")),
    (
        400,
        error(
            "The image data you provided does not represent a valid image. Please check your "
            "input and try again with one of the following image formats: ['png', 'jpeg']"
        ),
    ),
    (
        400,
        error(
            "messages.0.content.1.image.source.base64.data: Image format image/png not supported"
        ),
    ),
    (400, error("image exceeds 5 MB maximum: 10053760 bytes > 5242880 bytes")),
    (500, error("failed to decode image bytes")),
    (400, error("Improperly formed request.")),
]


@pytest.mark.parametrize(("status", "body"), UNREADABLE)
async def test_a_picture_that_an_endpoint_stumbles_at_costs_itself_alone(
    chat: Chat, status: int, body: Json
) -> None:
    (kind,) = [k for k in PICTURES if (k == "image_url") == (chat.api == "chat_completions")]
    chat.endpoint.judge = lambda asked: (
        Refusal(status, body)
        if "“cat.png”" in texts_of(asked)
        and kinds_of(asked)
        and not any("can't be given" in text for text in [texts_of(asked)])
        else None
    )
    assert await chat.ask("what is it?", CAT) == [NOT_GIVEN]
    # the next one is seen, and the first one is not tried again
    before = len(chat.kinds)
    assert await chat.ask("and this?", DOG) == []
    assert chat.kinds[before:] == [[kind]]


async def test_an_endpoint_that_takes_no_office_takes_pdfs(chat: Chat) -> None:
    words = "Invalid input: Expected context stuffing file type to be a supported format: .pdf"
    chat.endpoint.judge = lambda asked: (
        Refusal(400, error(f"{words} but got .docx")) if ".docx" in str(files_of(asked)) else None
    )
    assert await chat.ask("read", LETTER, ("a", WORD, office())) == [NOT_GIVEN]
    assert len(chat.kinds[-1]) == 1


NO_RECORDINGS = [
    (400, error("At most 0 audio(s) may be provided in one request.", code=400)),
    (
        500,
        error(
            "audio input is not supported - hint: if this is unexpected, you may need to "
            "provide the mmproj",
            code=500,
        ),
    ),
    (404, error("No endpoints found that support input audio", code=404)),
    (400, error("Invalid value: 'input_audio'. Supported values are: 'text', 'image_url'.")),
]


@pytest.mark.parametrize(("status", "body"), NO_RECORDINGS)
async def test_recordings_that_are_refused_are_words(chat: Chat, status: int, body: Json) -> None:
    chat.endpoint.judge = refusing(("input_audio",), status, body)
    assert await chat.ask("listen", ("a.wav", "audio/wav", recording("wav"))) == [NOT_GIVEN]
    assert chat.kinds[-1] == []
    assert len(chat.kinds) == (2 if chat.api == "chat_completions" else 1)


async def test_of_too_many_pictures_the_newest_are_kept(chat: Chat) -> None:
    chat.endpoint.judge = refusing(
        PICTURES, 400, error("At most 1 image(s) may be provided in one request."), least=2
    )
    assert await chat.ask("what is it?", CAT) == []
    assert await chat.ask("and this?", DOG) == [NOT_GIVEN]
    assert [len(kinds) for kinds in chat.kinds] == [1, 2, 1]


async def test_a_server_that_fails_once_has_not_refused_the_picture(chat: Chat) -> None:
    failed = iter([Refusal(500, error("Internal Server Error"))])
    chat.endpoint.judge = lambda asked: next(failed, None)
    assert await chat.ask("what is it?", CAT) == []
    assert [len(kinds) for kinds in chat.kinds] == [1, 1]


async def test_what_is_too_long_is_asked_without_the_files_of_before(chat: Chat) -> None:
    long = error(
        "This model's maximum context length is 100 tokens", code="context_length_exceeded"
    )
    note = ("a.txt", "text/plain", b"word " * 50)
    assert await chat.ask("one", CAT, note) == []
    chat.endpoint.judge = lambda asked: (
        Refusal(400, long) if "word word" in texts_of(asked) else None
    )
    (why, also) = await chat.ask("two", DOG)
    assert why == also == "With this file all was too long for the model, so it answers without it."
    assert len(chat.kinds[-1]) == 1
    assert "one" in chat.endpoint.read
    # and without its own, where nothing else is left
    assert await chat.ask("three", ("b.txt", "text/plain", b"word word word")) == [why]


async def test_an_endpoint_that_says_nothing_to_files_is_asked_without(chat: Chat) -> None:
    chat.endpoint.says = lambda asked: "" if kinds_of(asked) else "Seen."
    assert len(await chat.ask("what is it?", CAT)) == 1
    assert [len(kinds) for kinds in chat.kinds] == [1, 1, 0]


@pytest.mark.parametrize("status", [200, 0])
async def test_an_answer_that_begins_with_an_error_or_breaks_is_asked_for_without(
    chat: Chat, status: int
) -> None:
    failure = {"type": "error", "error": {"message": "image input is not supported", "code": 400}}
    chat.endpoint.judge = refusing(PICTURES, status, failure)
    assert await chat.ask("what is it?", CAT) == [NOT_GIVEN]
    assert [len(kinds) for kinds in chat.kinds][-2:] == [1, 0]


async def test_many_files_that_were_refused_elsewhere_leave_room_to_learn(chat: Chat) -> None:
    chat.endpoint.judge = refusing(PICTURES, 400, error("Improperly formed request."))
    for number in range(21):
        chat.window.clear()
        assert await chat.ask("look", (f"{number}.png", "image/png", CAT[2])) == [NOT_GIVEN]


async def test_each_of_several_kinds_is_left_out_for_itself(chat: Chat) -> None:
    chat.endpoint.judge = refusing(PICTURES, 400, error("nope"))
    await chat.ask("look", CAT, LETTER)
    assert len(chat.kinds[-1]) == 1
    assert chat.kinds[-1][0] in DOCUMENTS
