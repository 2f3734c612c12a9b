"""Which model answers, how long it is waited for, and the agent of the host's own."""

from typing import Any

from chatbridge.adapters.chatkit.actions import Assistant
from chatbridge.adapters.chatkit.items.images import GeneratedImages
from chatbridge.adapters.chatkit.items.thoughts import WorkflowForms
from chatbridge.adapters.offline.model import OfflineModel
from chatbridge.adapters.openai.chosen import OfferedModel
from chatbridge.adapters.openai.conversations import Conversations
from chatbridge.adapters.openai.entry import agent_of, load_agent
from chatbridge.adapters.openai.host_agents import names_its_model
from chatbridge.adapters.openai.images import ImageForms
from chatbridge.adapters.openai.instructed import Instructions
from chatbridge.adapters.openai.left_counterparts import LeftCounterparts
from chatbridge.adapters.openai.models import OPENAI, Endpoint, offline_endpoint, openai_model
from chatbridge.adapters.openai.opening import Opening
from chatbridge.adapters.openai.patience import Patience
from chatbridge.adapters.openai.recall import CounterpartRecall, Recall, WindowRecall
from chatbridge.adapters.openai.thoughts import ThoughtForms
from chatbridge.adapters.openai.titles import Titles
from chatbridge.adapters.openai.transcriber import OpenAITranscriber
from chatbridge.adapters.openai.unoffered import Unoffered
from chatbridge.adapters.pypdf.pdf_text import PypdfText
from chatbridge.domain.model.message import Words
from chatbridge.domain.services.attachments import Attachments
from chatbridge.domain.services.reading import Reading
from chatbridge.host import Host
from chatbridge.ports.store import Store
from chatbridge.settings import Settings

_OFFLINE = "offline"


def model_endpoint(settings: Settings, unoffered: Unoffered) -> Endpoint:
    """The model that is configured, and how its provider is reached."""
    agent = settings.agent
    if _is_offline(settings):
        return offline_endpoint(
            OfflineModel(),
            base_url=agent.base_url,
            api_key=settings.api_key,
            api=agent.api,
            http=agent.http,
            patience=_patience(settings),
            unoffered=unoffered,
        )
    return openai_model(
        model=agent.model,
        base_url=agent.base_url,
        api_key=settings.api_key,
        api=agent.api,
        http=agent.http,
        patience=_patience(settings),
        unoffered=unoffered,
    )


def host_assistant(settings: Settings, host: Host) -> Assistant:
    """The agent of the host's own, if there is one, and its actions.

    Raises ValueError where nothing may answer.
    """
    entry = host.agent if isinstance(host.agent, str) else settings.agent.entry
    given = host.agent is not None and not isinstance(host.agent, str)
    found: Any = None
    if given:
        found = agent_of(host.agent, "`agent`", Assistant)
    elif entry:
        found = load_agent(entry, Assistant)
    assistant = found if isinstance(found, Assistant) else Assistant(found)
    agent = assistant.agent
    if agent and host.instructions:
        raise ValueError(
            "`instructions` are for the settings' agent. One of your own has them itself: "
            "`Agent(instructions=...)` takes a function of the run's context and the agent."
        )
    if (
        _is_offline(settings)
        and settings.refuses("offline_model")
        and not (agent and names_its_model(agent))
    ):
        raise ValueError(
            "CHATBRIDGE_AGENT__MODEL is not set, and in production the offline model, which "
            "follows rules and can fail on purpose, answers only with "
            "CHATBRIDGE_ALLOW=offline_model."
        )
    return assistant


def offered_models(settings: Settings, endpoint: Endpoint) -> dict[str, OfferedModel]:
    """Those that a message may choose. Raises ValueError for one that can't be had."""
    if offline := [id for id, each in settings.agent.models.items() if each.model == _OFFLINE]:
        raise ValueError(
            f"CHATBRIDGE_AGENT__MODELS offers the offline model as {offline[0]}; "
            "no provider has it, and it answers only as CHATBRIDGE_AGENT__MODEL."
        )
    return {
        id: OfferedModel(each.model, endpoint.named(each.model), each.instructions)
        for id, each in settings.agent.models.items()
    }


def openai_conversations(settings: Settings, own: Assistant) -> Conversations | None:
    """OpenAI's conversations, where there can be any. Raises ValueError where they are to be the
    model's memory and there can be none.
    """
    agent = settings.agent
    reached = settings.api_key or agent.base_url
    # an agent of the host's own may name its model
    answers = not _is_offline(settings) or bool(own.agent and names_its_model(own.agent))
    if agent.api == "responses" and reached and answers:
        return Conversations(api_key=settings.api_key, base_url=agent.base_url or OPENAI)
    if agent.memory == "window":
        return None
    lacking = (
        "Chat Completions has no such thing: set CHATBRIDGE_AGENT__API=responses"
        if agent.api != "responses"
        else "the offline model has no such thing: set CHATBRIDGE_AGENT__MODEL"
        if not answers
        else "there is no key for it: set OPENAI_API_KEY"
    )
    raise ValueError(
        f"CHATBRIDGE_AGENT__MEMORY=openai_conversations needs OpenAI's Conversations API, and "
        f"{lacking}, or CHATBRIDGE_AGENT__MEMORY=window."
    )


def makes_counterparts(settings: Settings) -> bool:
    """Whether conversations get counterparts at OpenAI."""
    return settings.agent.memory == "openai_conversations"


def model_recall(
    settings: Settings,
    remote: Conversations | None,
    store: Store,
    left: LeftCounterparts,
    words: Words,
) -> Recall:
    """What a model reads of a conversation, as it is configured."""
    if settings.agent.memory == "window" or remote is None:
        return WindowRecall(words)
    return CounterpartRecall(
        remote,
        store.counterparts,
        store.conversations,
        words=words,
        max_characters=settings.window.max_characters,
        log_words=settings.log.words,
        replaced=left.wake,
    )


def model_files(settings: Settings, attachments: Attachments | None) -> Opening:
    """What a model may be given of the files that messages carry."""
    most = settings.window.max_characters // 2
    reading = Reading(attachments, max_characters=most)
    return Opening(reading, PypdfText(), max_characters=most)


def instructions(settings: Settings, host: Host) -> str | Instructions:
    """What a model is told that has no agent of the host's own around it."""
    return host.instructions or settings.agent.instructions


def thought_forms(settings: Settings) -> ThoughtForms | None:
    """How a model's thoughts are shown, if they are."""
    return None if settings.agent.show_thoughts == "none" else WorkflowForms()


def image_forms(attachments: Attachments | None) -> ImageForms | None:
    """How pictures are shown that a provider's tools make, if files are kept."""
    return GeneratedImages() if attachments else None


def only_summaries(settings: Settings) -> bool:
    """Whether no thoughts are shown but what a provider makes of them for people."""
    return settings.agent.show_thoughts != "all"


def model_titles(settings: Settings, store: Store) -> Titles | None:
    """Titles that the model makes, if it is to make any."""
    made = settings.agent.titles == "model"
    return Titles(store.conversations, log_words=settings.log.words) if made else None


def transcriber(settings: Settings) -> OpenAITranscriber | None:
    """Who writes down what is said, if anybody does. Raises ValueError where nobody could."""
    dictation, agent = settings.dictation, settings.agent
    if dictation.model is None:
        if told := dictation.model_fields_set & {"base_url", "api_key"}:
            raise ValueError(
                f"CHATBRIDGE_DICTATION__{min(told).upper()} is set, and "
                "CHATBRIDGE_DICTATION__MODEL is not: name the model that writes down what is said, "
                "or leave it out."
            )
        return None
    own = dictation.api_key.get_secret_value() if dictation.api_key else None
    return OpenAITranscriber(
        model=dictation.model,
        base_url=dictation.base_url or agent.base_url,
        # the agent's key is for the agent's endpoint
        api_key=own or (None if dictation.base_url else settings.api_key),
        max_seconds=dictation.max_seconds,
        http=agent.http,
        log_words=settings.log.words,
    )


def rehearses(settings: Settings) -> bool:
    """Whether the bundled tools take the offline model's rehearsals of what can go wrong."""
    return _is_offline(settings) and not settings.refuses("offline_model")


def _is_offline(settings: Settings) -> bool:
    return settings.agent.model == _OFFLINE


def _patience(settings: Settings) -> Patience:
    agent = settings.agent
    return Patience(
        first=max(agent.first, agent.idle),
        idle=agent.idle,
        max_seconds=agent.max_seconds,
        max_characters=agent.max_characters,
    )
