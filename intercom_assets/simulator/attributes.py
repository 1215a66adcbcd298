"""Data attributes: the workspace's standard ones, and custom ones to be made before use.

Names are shared across contacts and companies and count against one limit. Values are checked in
`values`.
"""

import unicodedata
from dataclasses import replace
from typing import Any

from intercom_assets.simulator import errors
from intercom_assets.simulator.documents import Document, attribute_document
from intercom_assets.simulator.records import Attribute
from intercom_assets.simulator.standard_attributes import STANDARD, standard_document
from intercom_assets.simulator.values import flag, text
from intercom_assets.simulator.wire import Call, Reply

MODELS = {"contact": "people", "company": "company"}
DATA_TYPES = ("string", "integer", "float", "boolean", "date", "datetime", "options")
LIMIT = 250
FIRST_ID = 12878


def list_attributes(call: Call) -> Reply:
    model = call.query.get("model")
    if model == "conversation":
        raise errors.Refused(
            422,
            "parameter_invalid",
            "model=conversation is no longer supported. Use GET /conversations/attributes instead",
        )
    if model is not None and model not in MODELS:
        raise _bad_model()
    wanted = [model] if model else list(MODELS)
    rows: list[Document] = [
        standard_document(standard, name) for name in wanted for standard in STANDARD[name]
    ]
    with_archived = call.flag("include_archived")
    rows += [
        attribute_document(attribute)
        for attribute in call.world.attributes.values()
        if attribute.model in wanted and (with_archived or not attribute.archived)
    ]
    return Reply({"type": "list", "data": rows})


def _bad_model() -> errors.Refused:
    return errors.invalid("The Data Attribute model field must be either contact or company")


def create_attribute(call: Call) -> Reply:
    call.allow("name", "model", "data_type", "description", "messenger_writable", "options")
    model = call.body.get("model")
    if not isinstance(model, str) or model not in MODELS:
        raise _bad_model()
    data_type = call.body.get("data_type")
    if not isinstance(data_type, str) or data_type not in DATA_TYPES:
        raise errors.invalid("Data Type isn't an option")
    name = _read_name(call, model)
    options = _read_options(call) if data_type == "options" else None
    _refuse_over_limit(call, model)
    now = call.world.now
    attribute = Attribute(
        id=FIRST_ID + call.world.next_seq(),
        name=name,
        model=model,
        data_type=data_type,
        created_at=now,
        updated_at=now,
        description=_read_description(call),
        options=options,
        messenger_writable=_read_messenger(call, False),
    )
    call.world.commit_attribute(attribute)
    return Reply(attribute_document(attribute), changed=True)


def update_attribute(call: Call) -> Reply:
    """Name and type cannot change."""
    call.allow("archived", "description", "options", "messenger_writable")
    attribute = _find(call, call.ids[0])
    archived = attribute.archived
    if call.body.get("archived") is not None:
        archived = flag("archived", call.body["archived"])
    if archived and not attribute.archived and attribute.depended_on:
        raise errors.Refused(
            422,
            "data_invalid",
            "The Data Attribute you are trying to archive has a dependant object",
        )
    if attribute.archived and not archived:
        _refuse_taken(call, attribute.name, attribute.model)
        _refuse_over_limit(call, attribute.model)
    changed = replace(
        attribute,
        archived=archived,
        description=_read_description(call) or attribute.description,
        options=_read_options(call) if "options" in call.body else attribute.options,
        messenger_writable=_read_messenger(call, attribute.messenger_writable),
    )
    if changed != attribute:
        call.world.commit_attribute(replace(changed, updated_at=call.world.now))
    found = call.world.attributes[attribute.id]
    return Reply(attribute_document(found), changed=changed != attribute)


def _find(call: Call, attribute_id: str) -> Attribute:
    if attribute_id.isascii() and attribute_id.isdigit() and len(attribute_id) < 19:
        attribute = call.world.attributes.get(int(attribute_id))
        if attribute is not None:
            return attribute
    raise errors.no_such_attribute()


# --- names ---


def _read_name(call: Call, model: str) -> str:
    name = text("name", call.body.get("name"), call.settings).strip()
    if not name or not all(_may_be_in_a_name(letter) for letter in name):
        raise errors.invalid(
            "Your name for this attribute must only contain alphanumeric characters, "
            "currency symbols, and hyphens"
        )
    if any(standard.full_name == name.lower() for standard in STANDARD[model]):
        raise errors.invalid(
            f"'{name}' is one of our standard attributes for your {MODELS[model]} data. "
            "To save this as new data, use a different name."
        )
    _refuse_taken(call, name, model)
    return name


def _may_be_in_a_name(letter: str) -> bool:
    """Letters, digits, currency symbols, hyphens; underscores and spaces are seen to work."""
    if letter == "$":
        return False
    return letter.isalnum() or letter in "-_ " or unicodedata.category(letter) == "Sc"


def _refuse_taken(call: Call, name: str, model: str) -> None:
    archived_count = call.settings.choice("archived_attribute_name_taken")
    for other in call.world.attributes.values():
        if other.name != name or (other.archived and not archived_count):
            continue
        if "archived" in call.body and other.archived and other.model == model:
            continue
        raise errors.invalid(
            f"You already have '{name}' in your {MODELS[other.model]} data. "
            f"To save this as new {MODELS[model]} data, use a different name."
        )


def _refuse_over_limit(call: Call, model: str) -> None:
    per_model = call.settings.choice("attribute_limit_scope") == "model"
    counted = [
        attribute
        for attribute in call.world.attributes.values()
        if not attribute.archived and (not per_model or attribute.model == model)
    ]
    if len(counted) >= LIMIT:
        raise errors.Refused(
            400,
            "custom_data_limit_reached",
            f"You have reached the maximum of {LIMIT} custom attributes",
        )


# --- the rest of a body ---


def _read_options(call: Call) -> tuple[str, ...]:
    options = call.body.get("options")
    if not isinstance(options, list):
        raise errors.invalid("Options isn't an array")
    if len(options) < 2:
        raise errors.invalid("You must have at least two options on a list type data attribute")
    return tuple(_read_option(call, option) for option in options)


def _read_option(call: Call, option: Any) -> str:
    if not isinstance(option, dict) or "value" not in option:
        raise errors.invalid("Each option must be an object with a value")
    return text("value", option["value"], call.settings)


def _read_description(call: Call) -> str | None:
    value = call.body.get("description")
    return None if value is None else text("description", value, call.settings)


def _read_messenger(call: Call, present: bool) -> bool:
    value = call.body.get("messenger_writable")
    return present if value is None else flag("messenger_writable", value)
