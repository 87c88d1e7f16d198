-- The durable book of one simulated provider.

-- name: schema
-- What the provider knows: its objects, what it did (effects), and what it was asked (requests).
CREATE TABLE IF NOT EXISTS objects (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    account TEXT NOT NULL,
    body TEXT NOT NULL,
    created_sequence INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS objects_order_idx ON objects (kind, created_sequence);
CREATE TABLE IF NOT EXISTS effects (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    operation TEXT NOT NULL,
    account TEXT NOT NULL,
    object_id TEXT NOT NULL,
    external_key TEXT,
    reference TEXT,
    amount_minor INTEGER,
    currency TEXT,
    occurred_at TEXT NOT NULL,
    details TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS requests (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    operation TEXT NOT NULL,
    account TEXT NOT NULL,
    external_key TEXT,
    reference TEXT,
    fault TEXT,
    status INTEGER,
    occurred_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

-- name: put_object
-- Write an object, new or changed; its place in the order of creation stays.
INSERT INTO objects (kind, id, account, body, created_sequence)
VALUES (:kind, :id, :account, :body, (SELECT COALESCE(MAX(created_sequence), 0) + 1 FROM objects WHERE kind = :kind))
ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body;

-- name: find_object
SELECT body, account FROM objects WHERE kind = :kind AND id = :id;

-- name: list_objects
-- Newest first, as providers list.
SELECT body FROM objects WHERE kind = :kind AND account = :account ORDER BY created_sequence DESC;

-- name: dump_objects
SELECT kind, id, account, body FROM objects ORDER BY kind, created_sequence;

-- name: delete_object
DELETE FROM objects WHERE kind = :kind AND id = :id;

-- name: insert_effect
INSERT INTO effects (operation, account, object_id, external_key, reference, amount_minor, currency, occurred_at, details)
VALUES (:operation, :account, :object_id, :external_key, :reference, :amount_minor, :currency, :occurred_at, :details);

-- name: list_effects
SELECT sequence, operation, account, object_id, external_key, reference, amount_minor, currency, occurred_at, details
FROM effects ORDER BY sequence;

-- name: insert_request
INSERT INTO requests (operation, account, external_key, reference, fault, status, occurred_at)
VALUES (:operation, :account, :external_key, :reference, :fault, :status, :occurred_at);

-- name: list_requests
SELECT sequence, operation, account, external_key, reference, fault, status, occurred_at FROM requests ORDER BY sequence;

-- name: get_counter
SELECT value FROM counters WHERE name = :name;

-- name: set_counter
INSERT INTO counters (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value;
