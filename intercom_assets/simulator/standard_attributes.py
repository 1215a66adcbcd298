"""The attributes that every workspace has, as `GET /data_attributes` lists them. Data only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Standard:
    full_name: str
    label: str
    data_type: str
    api_writable: bool = False
    description: str = ""


CONTACT = (
    Standard("id", "ID", "string", False, "The Intercom defined id representing the contact"),
    Standard("role", "Role", "string", True, "Whether the person is a user or a lead"),
    Standard("name", "Name", "string", True, "A person's full name"),
    Standard("owner_id", "Owner", "integer", True, "The teammate who owns the person"),
    Standard("email", "Email", "string", True, "The email address assigned to a person"),
    Standard("email_domain", "Email domain", "string", False, "The domain of the email address"),
    Standard("phone", "Phone", "string", True, "A person's phone number"),
    Standard("external_id", "User ID", "string", True, "Your own id of a person"),
    Standard("workspace_id", "Workspace ID", "string", False, "The workspace of the person"),
    Standard("created_at", "First seen", "date", False, "When the person was added to Intercom"),
    Standard("updated_at", "Last updated", "date", False, "When the person was last updated"),
    Standard("signed_up_at", "Signed up", "date", True, "The day a person signed up"),
    Standard("last_seen_at", "Last seen", "date", True, "The last day a person visited"),
    Standard("last_contacted_at", "Last contacted", "date", False, "When you last wrote to them"),
    Standard("last_replied_at", "Last heard from", "date", False, "When they last wrote to you"),
    Standard("last_email_opened_at", "Last opened email", "date", False, "Last opened email"),
    Standard("last_email_clicked_at", "Last clicked email", "date", False, "Last clicked email"),
    Standard("language_override", "Language override", "string", False, "Preferred language"),
    Standard("browser", "Browser", "string", False, "The browser a person uses"),
    Standard("browser_version", "Browser version", "string", False, "The browser's version"),
    Standard("browser_language", "Browser language", "string", False, "The browser's language"),
    Standard("os", "OS", "string", False, "The operating system a person uses"),
    Standard("location.country", "Country", "string", False, "A person's country"),
    Standard("location.region", "Region", "string", False, "A person's region"),
    Standard("location.city", "City", "string", False, "A person's city"),
    Standard("unsubscribed_from_emails", "Unsubscribed from emails", "boolean", True, "Opted out"),
    Standard("marked_email_as_spam", "Marked email as spam", "boolean", False, "Complained"),
    Standard("has_hard_bounced", "Has hard bounced", "boolean", False, "Mail came back"),
    Standard("avatar", "Avatar", "string", True, "The picture of a person"),
    Standard("android_app_name", "Android App name", "string", False, "The Android app in use"),
    Standard("android_sdk_version", "Android SDK version", "string", False, "The app's SDK"),
    Standard("ios_app_name", "iOS App name", "string", False, "The iOS app in use"),
    Standard("ios_sdk_version", "iOS SDK version", "string", False, "The app's SDK"),
)
COMPANY = (
    Standard("name", "Company name", "string", True, "The name of a company"),
    Standard("company_id", "Company ID", "string", False, "A number identifying a company"),
    Standard("last_request_at", "Company last seen", "date", False, "The last day of a visit"),
    Standard("remote_created_at", "Company created at", "date", True, "The day it was added"),
    Standard("user_count", "People", "integer", False, "The number of people in a company"),
    Standard("session_count", "Company web sessions", "integer", False, "All visits"),
    Standard("plan.name", "Plan", "string", False, "A plan that companies have signed up to"),
    Standard("monthly_spend", "Monthly Spend", "float", True, "The monthly revenue"),
    Standard("size", "Company size", "integer", True, "The number of people employed"),
    Standard("industry", "Company industry", "string", True, "The domain of a company"),
    Standard("website", "Company website", "string", True, "The web address of a company"),
    Standard("id", "ID", "string", False, "The Intercom defined id representing the company"),
    Standard("created_at", "Created at", "date", False, "When it was added to Intercom"),
    Standard("updated_at", "Updated at", "date", False, "When it was last updated"),
    Standard("plan.id", "Plan ID", "string", False, "The Intercom defined id of the plan"),
    Standard("app_id", "App ID", "string", False, "The Intercom defined id of the app"),
)
UI_WRITABLE: Mapping[str, frozenset[str]] = {
    "contact": frozenset(("name", "email", "phone")),
    "company": frozenset(("name", "size", "industry", "website")),
}
"""What teammates can edit in Intercom's screens (recorded 2020 and 2021)."""
STANDARD: Mapping[str, tuple[Standard, ...]] = {"contact": CONTACT, "company": COMPANY}


def standard_document(standard: Standard, model: str) -> dict[str, Any]:
    return {
        "type": "data_attribute",
        "name": standard.full_name.rpartition(".")[2],
        "full_name": standard.full_name,
        "label": standard.label,
        "description": standard.description,
        "data_type": standard.data_type,
        "api_writable": standard.api_writable,
        "ui_writable": standard.full_name in UI_WRITABLE[model],
        "messenger_writable": True,
        "custom": False,
        "archived": False,
        "model": model,
    }
