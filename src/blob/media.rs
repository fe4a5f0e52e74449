//! What a file really is, by its first bytes; what its sender called it counts for nothing.

use std::io;
use std::path::Path;

/// What nobody knows what it is.
pub const UNKNOWN: &str = "application/octet-stream";

/// Images that every browser shows and none runs.
const IMAGES: [&str; 4] = ["image/jpeg", "image/png", "image/webp", "image/gif"];

/// What a file is.
///
/// # Errors
/// Where it cannot be read.
pub fn of_file(path: &Path) -> io::Result<&'static str> {
    Ok(infer::get_from_path(path)?.map_or(UNKNOWN, |kind| kind.mime_type()))
}

/// Whether it may be shown where it is asked for, instead of being saved.
pub fn is_image(media_type: &str) -> bool {
    IMAGES.contains(&media_type)
}
