"""Two runs that meet a new workspace at the same moment both make its attributes."""

from intercom_assets.domain.vocabulary import AttributeModel
from intercom_assets.intercom.client import IntercomClient
from intercom_assets.sync.context.attributes import AttributeBook
from intercom_assets_tests.sync.world import World


def test_an_attribute_that_another_run_made_first_is_written_all_the_same(world: World) -> None:
    book, calls = AttributeBook(world.services), 0

    def client() -> IntercomClient:
        nonlocal calls
        calls += 1
        if calls == 3:  # after both lists, just before our first create
            AttributeBook(world.services).ensure(
                lambda: world.services.intercom.with_deadline(None)
            )
        return world.services.intercom.with_deadline(None)

    world.services.store.state.forget_attributes(AttributeModel.CONTACT)
    book.ensure(client)

    assert book.unwritable(AttributeModel.CONTACT) == {}
    assert book.unwritable(AttributeModel.COMPANY) == {}
    ada = world.given_user(plan="team")
    world.sync(ada)
    assert world.contact(ada)["custom_attributes"]["subscription_plan"] == "team"
