"""What Intercom sends us: one process, `intercom-assets listen`, that answers signed requests.

    server       the app and its port: bounds, health
    routes       which signed routes there are
    inbox        the panel beside a conversation, and its button
    panel        what it says of a contact, from one row of facts
    agents_words how that is said to a support agent
    links        where it leads
    canvas       how Intercom draws it
    signed       one way in for all of them: method, size, time, signature, and only then the route
    webhooks     notifications: notices (what a body says), topics (whom each wakes), intake
                 (batches of them into our own tables)
    signatures   whether Intercom sent a body, by the app's client secret
    bodies       raw bodies, bounded one by one and together
    connections  HTTP/1.1 connections that do not wait for ever
    settings     the secrets, from the environment
    tally        what was refused, counted
    logs         what is said of it, and how rarely

It works with our own tables alone: no token, no app database. Nothing that a body says is written
anywhere; it only leads to keys in the queue. Must not: decide about a user, or call Intercom.
"""
