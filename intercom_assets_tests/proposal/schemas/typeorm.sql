-- As TypeORM makes it: a table `user` in the singular, uuid keys, a pivot with both in camel case.
create table "user" (id uuid primary key default gen_random_uuid(), "firstName" varchar, "lastName" varchar, email varchar not null, password varchar not null, "isActive" boolean not null default true, "createdAt" timestamp not null default now(), "updatedAt" timestamp not null default now(), "deletedAt" timestamp);
create table workspace (id uuid primary key default gen_random_uuid(), "displayName" varchar not null, "createdAt" timestamptz not null default now());
create table user_workspaces_workspace ("userId" uuid not null references "user" on delete cascade, "workspaceId" uuid not null references workspace on delete cascade, primary key ("userId", "workspaceId"));
create table api_key (id uuid primary key, "workspaceId" uuid references workspace, "userId" uuid references "user", value varchar);
insert into "user" (id, "firstName", "lastName", email, password) values ('00000000-0000-4000-8000-000000000001', 'Ada', 'Byron', 'ada@typeorm.example', 'hush');
insert into workspace (id, "displayName") values ('00000000-0000-4000-8000-0000000000a1', 'North');
insert into user_workspaces_workspace values ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-0000000000a1');
