//! The versions of an object.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html>

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::{Connection, OptionalExtension, params};
use s3s::{S3Result, s3_error};

use super::facts::{Facts, NULL_VERSION, Object};
use super::files::{Files, Moves};
use super::index::{broken, current, object, to_json};
use super::name::FileId;
use crate::random;

/// Whether the bucket keeps versions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Versioning {
    /// It never did.
    Off,
    On,
    /// It did once: what there is stays, and nothing is added.
    Suspended,
}

/// What became of a delete.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deleted {
    /// The version of the delete marker, if there is one.
    pub(crate) marker: Option<String>,
    /// Whether there was an object.
    pub(crate) was_there: bool,
}

/// A version that a request names.
#[derive(Clone, Debug)]
pub(crate) enum Version {
    Object(Box<Object>),
    DeleteMarker,
}

impl Versioning {
    /// Reads and sets the state of a bucket. SQLite has it, so that a later start knows of it.
    pub(crate) fn open(connection: &Connection, is_on: bool) -> rusqlite::Result<Self> {
        let was_on = "SELECT 1 FROM settings WHERE name = 'versions'";
        let was_on = connection.query_row(was_on, [], |_| Ok(())).optional()?.is_some();
        if is_on && !was_on {
            connection.execute("INSERT INTO settings VALUES ('versions', 1)", [])?;
        }
        Ok(match (is_on, was_on) {
            (true, _) => Self::On,
            (false, true) => Self::Suspended,
            (false, false) => Self::Off,
        })
    }

    /// A new version's id.
    fn id(self) -> S3Result<String> {
        match self {
            Self::On => Ok(URL_SAFE_NO_PAD.encode(random::bytes::<24>().map_err(broken)?)),
            Self::Off | Self::Suspended => Ok(NULL_VERSION.to_owned()),
        }
    }

    /// The version to tell of an object.
    pub(crate) fn tell(self, version: &str) -> Option<String> {
        match self {
            Self::Off => None,
            Self::On | Self::Suspended => Some(version.to_owned()),
        }
    }

    /// Puts an object in the place of the current one, and returns its version.
    pub(crate) fn put(
        self,
        connection: &Connection,
        (moves, files): (&mut Moves, &Files),
        key: &str,
        id: FileId,
        new: &Object,
    ) -> S3Result<String> {
        self.set_aside(connection, (moves, files), key)?;
        let version = self.id()?;
        let facts = to_json(&new.facts)?;
        let size = i64::try_from(new.size).map_err(broken)?;
        let values =
            params![key.as_bytes(), id.stored(), version, size, new.etag, new.modified, new.body, facts];
        let insert = "INSERT INTO objects (key, id, version, size, etag, modified, body, facts)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        connection.prepare_cached(insert).and_then(|mut insert| insert.execute(values)).map_err(broken)?;
        Ok(version)
    }

    /// Deletes the current object. With versions, it only gets a marker.
    pub(crate) fn delete(
        self,
        connection: &Connection,
        (moves, files): (&mut Moves, &Files),
        key: &str,
        now: i64,
    ) -> S3Result<Deleted> {
        let was_there = self.set_aside(connection, (moves, files), key)?;
        let marker = match self {
            Self::Off => None,
            Self::On | Self::Suspended => {
                let version = self.id()?;
                let facts = to_json(&Facts::default())?;
                let marker = "INSERT INTO versions (key, id, version, size, etag, modified, body, facts)
                    VALUES (?1, ?2, ?3, 0, '', ?4, NULL, ?5)";
                let values = params![key.as_bytes(), files.id().stored(), version, now, facts];
                connection.execute(marker, values).map_err(broken)?;
                Some(version)
            }
        };
        Ok(Deleted { marker, was_there })
    }

    /// Takes the current object away: to its older versions, or for good. Says whether there was one.
    fn set_aside(
        self,
        connection: &Connection,
        (moves, files): (&mut Moves, &Files),
        key: &str,
    ) -> S3Result<bool> {
        let before = current(connection, key).map_err(broken)?;
        let stays = |object: &Object| match self {
            Self::Off => false,
            Self::On => true,
            Self::Suspended => object.version != NULL_VERSION,
        };
        if let Some(before) = &before {
            if stays(before) {
                let copy = "INSERT INTO versions SELECT key, id, version, size, etag, modified, body, facts
                    FROM objects WHERE key = ?1";
                connection.execute(copy, [key.as_bytes()]).map_err(broken)?;
            } else {
                moves.remove_later(files.body(&before.body));
            }
            let delete = connection.prepare_cached("DELETE FROM objects WHERE key = ?1");
            delete.and_then(|mut delete| delete.execute([key.as_bytes()])).map_err(broken)?;
        }
        if self == Self::Suspended {
            // There is one version `null`, and the new one is it.
            let older = "DELETE FROM versions WHERE key = ?1 AND version = ?2 RETURNING body";
            let mut older = connection.prepare_cached(older).map_err(broken)?;
            let bodies = older.query_map(params![key.as_bytes(), NULL_VERSION], |row| row.get(0));
            let bodies: rusqlite::Result<Vec<Option<String>>> = bodies.and_then(Iterator::collect);
            for body in bodies.map_err(broken)?.into_iter().flatten() {
                moves.remove_later(files.body(&body));
            }
        }
        Ok(before.is_some())
    }
}

/// The version of an object, current or not.
pub(crate) fn version(
    connection: &Connection,
    key: &str,
    version: &str,
) -> rusqlite::Result<Option<Version>> {
    if let Some(current) = current(connection, key)?.filter(|current| current.version == version) {
        return Ok(Some(Version::Object(Box::new(current))));
    }
    let query = "SELECT version, size, etag, modified, body, facts, body IS NULL FROM versions
        WHERE key = ?1 AND version = ?2";
    let read = |row: &rusqlite::Row<'_>| match row.get(6)? {
        true => Ok(Version::DeleteMarker),
        false => Ok(Version::Object(Box::new(object(row, 0)?))),
    };
    connection.prepare_cached(query)?.query_row(params![key.as_bytes(), version], read).optional()
}

/// The delete marker of a key that has no current object.
pub(crate) fn marker(connection: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    let query = "SELECT version, body IS NULL FROM versions WHERE key = ?1 ORDER BY id DESC LIMIT 1";
    let newest: Option<(String, bool)> = connection
        .prepare_cached(query)?
        .query_row([key.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(newest.filter(|(_, is_marker)| *is_marker).map(|(version, _)| version))
}

/// The length of the ids that S3 gives to versions.
const ID_LENGTH: usize = 32;

/// Refuses a version that no object can have. S3's ids are opaque; it refuses one that is too short to be one.
pub(crate) fn check_id(version: Option<&str>) -> S3Result<()> {
    match version {
        Some("") => Err(s3_error!(InvalidArgument, "Version id cannot be the empty string")),
        Some(id) if id != NULL_VERSION && id.len() < ID_LENGTH => {
            Err(s3_error!(InvalidArgument, "Invalid version id specified"))
        }
        Some(_) | None => Ok(()),
    }
}
