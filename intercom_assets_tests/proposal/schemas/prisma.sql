-- As Prisma makes it, in a schema of its own: mixed case, cuid keys, enums, times without a zone.
create schema app;
create type app."Role" as enum ('OWNER', 'ADMIN', 'MEMBER');
create table app."User" (
    id text primary key, name text, email text unique, "emailVerified" timestamp(3), image text,
    "hashedPassword" text, role app."Role" default 'MEMBER' not null, "planTier" text default 'free' not null,
    "createdAt" timestamp(3) default current_timestamp not null, "updatedAt" timestamp(3) not null, "deletedAt" timestamp(3)
);
create table app."Organization" (
    id text primary key, name text not null, slug text not null unique, "apiKey" text,
    "createdAt" timestamp(3) default current_timestamp not null, "updatedAt" timestamp(3) not null
);
create table app."OrganizationMember" (
    id text primary key, role app."Role" not null, "userId" text not null references app."User" on delete cascade,
    "organizationId" text not null references app."Organization" on delete cascade,
    "createdAt" timestamp(3) default current_timestamp not null, unique ("userId", "organizationId")
);
create table app."Account" (
    id text primary key, "userId" text not null references app."User" on delete cascade, type text not null,
    provider text not null, "providerAccountId" text not null, refresh_token text, access_token text, unique (provider, "providerAccountId")
);
create table app."Session" (id text primary key, "sessionToken" text unique not null, "userId" text not null references app."User", expires timestamp(3) not null);
create table app."VerificationToken" (identifier text not null, token text unique not null, expires timestamp(3) not null);
create table app."Post" (id text primary key, "authorId" text references app."User", "organizationId" text references app."Organization", title text);
create table app._prisma_migrations (id varchar(36) primary key, checksum varchar(64) not null);

insert into app."User" (id, name, email, "hashedPassword", "updatedAt") values
    ('clv1', 'Ada', 'ada@prisma.example', 'hush', now()), ('clv2', null, 'bo@prisma.example', 'hush', now());
insert into app."User" (id, email, "updatedAt", "deletedAt") values ('clv3', 'cy@prisma.example', now(), now());
insert into app."Organization" (id, name, slug, "updatedAt") values ('org1', 'North', 'north', now());
insert into app."OrganizationMember" (id, role, "userId", "organizationId") values ('m1', 'OWNER', 'clv1', 'org1'), ('m2', 'MEMBER', 'clv2', 'org1');
