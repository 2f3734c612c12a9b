"""A picture that a model's provider has made as ChatKit's generated image."""

from chatkit.types import GeneratedImage, GeneratedImageUpdated

from chatbridge.domain.model.payload import Payload


class GeneratedImages:
    """The frames are those of the SDK's own `stream_agent_response`."""

    def entry(self, id: str, url: str) -> Payload:
        """The item without its envelope."""
        return {"type": "generated_image", "image": GeneratedImage(id=id, url=url).model_dump()}

    def change(self, id: str, url: str) -> Payload:
        """The update of one that grows."""
        update = GeneratedImageUpdated(image=GeneratedImage(id=id, url=url))
        return update.model_dump(exclude_none=True)
