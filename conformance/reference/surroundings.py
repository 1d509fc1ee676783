"""What surrounds runs: assistants, threads and messages, from a routed call to the object that it returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.reference import validate
from conformance.reference.errors import Refusal, invalid, not_found
from conformance.reference.pages import page
from conformance.reference.store import Message, Thread, assistant_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.reference.calls import Call
    from conformance.reference.ids import Ids
    from conformance.reference.store import Store


class Surroundings:
    """Assistants, threads and messages, as far as runs and those who test with them need these."""

    _store: Store
    _ids: Ids

    # assistants

    def create_assistant(self, call: Call) -> dict[str, Any]:
        """Create an assistant."""
        body = call.json(validate.create_assistant)
        id = self._ids.new("asst", call.scope)
        self._store.assistants[id] = assistant = assistant_of(id, call.now, body)
        return assistant

    def list_assistants(self, call: Call) -> dict[str, Any]:
        """List assistants."""
        return self._page([*self._store.assistants.values()], call, "assistant")

    def retrieve_assistant(self, call: Call) -> dict[str, Any]:
        """Read an assistant."""
        return self._assistant(call.ids["assistant_id"])

    def modify_assistant(self, call: Call) -> dict[str, Any]:
        """Change an assistant, and none of the runs that it has had."""
        assistant = self._assistant(call.ids["assistant_id"])
        body = call.json(validate.modify_assistant)
        self._store.assistants[assistant["id"]] = {
            **assistant,
            **{name: each for name, each in body.items() if each is not None},
        }
        return self._store.assistants[assistant["id"]]

    def delete_assistant(self, call: Call) -> dict[str, Any]:
        """Forget an assistant."""
        id = self._assistant(call.ids["assistant_id"])["id"]
        del self._store.assistants[id]
        return {"id": id, "object": "assistant.deleted", "deleted": True}

    # threads

    def create_thread(self, call: Call) -> dict[str, Any]:
        """Create a thread with its first messages."""
        thread = self._new_thread(call.json(validate.create_thread, optional=True), call)
        self._store.threads[thread.id] = thread
        return thread.view()

    def retrieve_thread(self, call: Call) -> dict[str, Any]:
        """Read a thread."""
        return self._thread(call).view()

    def modify_thread(self, call: Call) -> dict[str, Any]:
        """Replace the metadata of a thread."""
        thread = self._thread(call)
        body = call.json(validate.modify_thread, optional=True)
        if body.get("metadata") is not None:
            thread.metadata = body["metadata"]
        return thread.view()

    def delete_thread(self, call: Call) -> dict[str, Any]:
        """Forget a thread, and its runs with it."""
        thread = self._thread(call)
        del self._store.threads[thread.id]
        return {"id": thread.id, "object": "thread.deleted", "deleted": True}

    # messages

    def create_message(self, call: Call) -> dict[str, Any]:
        """Add a message, unless a run locks the thread."""
        thread = self._thread(call)
        body = call.json(validate.MESSAGE)
        if active := thread.active(call.now):
            raise Refusal(f"Can't add messages to {thread.id} while a run {active.id} is active.")
        return self._write(thread, body, call).view()

    def list_messages(self, call: Call) -> dict[str, Any]:
        """List messages."""
        messages = [message.view() for message in self._thread(call).messages(call.now)]
        return self._page(messages, call, "message")

    def retrieve_message(self, call: Call) -> dict[str, Any]:
        """Read a message."""
        return self._message(call).view()

    def modify_message(self, call: Call) -> dict[str, Any]:
        """Replace the metadata of a message."""
        message = self._message(call)
        body = call.json(validate.modify_message, optional=True)
        if body.get("metadata") is not None:
            self._thread(call).changed[message.id] = body["metadata"]
        return self._message(call).view()

    def delete_message(self, call: Call) -> dict[str, Any]:
        """Forget a message."""
        message = self._message(call)
        self._thread(call).deleted.add(message.id)
        return {"id": message.id, "object": "thread.message.deleted", "deleted": True}

    # what they have in common

    def _page(self, items: Sequence[Mapping[str, Any]], call: Call, what: str) -> dict[str, Any]:
        return page(items, call.query, what)

    def _assistant(self, id: str) -> dict[str, Any]:
        if id not in self._store.assistants:
            raise not_found("assistant", id)
        return self._store.assistants[id]

    def _thread(self, call: Call) -> Thread:
        id = call.ids["thread_id"]
        if not id.startswith("thread_"):
            raise invalid("thread_id", f"'{id}'. Expected an ID that begins with 'thread'.")
        if id not in self._store.threads:
            raise not_found("thread", id)
        return self._store.threads[id]

    def _message(self, call: Call) -> Message:
        id = call.ids["message_id"]
        message = next((each for each in self._thread(call).messages(call.now) if each.id == id), None)
        if message is None:
            raise not_found("message", id)
        return message

    def _new_thread(self, body: Mapping[str, Any], call: Call) -> Thread:
        thread = Thread(self._ids.new("thread", call.scope), call.scope, call.now, body.get("metadata") or {})
        for message in body.get("messages", []):
            self._write(thread, message, call)
        return thread

    def _write(self, thread: Thread, body: Mapping[str, Any], call: Call) -> Message:
        content = body["content"]
        text = content if isinstance(content, str) else " ".join(part["text"] for part in content)
        message = Message(
            self._ids.new("msg", call.scope),
            call.now,
            body["role"],
            text,
            thread.id,
            metadata=body.get("metadata") or {},
        )
        thread.written.append(message)
        return message
