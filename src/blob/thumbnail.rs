//! Small pictures of large ones: upright, and without what a camera writes beside a picture – position, time, owner.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};

/// The longest side that may be asked for, px.
pub const LARGEST: u32 = 1_024;
/// The longest side where none is asked for, px.
pub const USUAL: u32 = 256;
/// The longest side of a picture that is opened, px, and all its pixels: a small file can unpack into very many.
const LONGEST_SIDE: u32 = 20_000;
const MOST_PIXELS: u64 = 64_000_000;
/// Memory for one picture: four bytes for every pixel of the largest.
const MEMORY: u64 = 256 * 1024 * 1024;
/// Good enough for a look, and small.
const QUALITY: u8 = 80;

/// A small picture.
#[derive(Debug, Clone)]
pub struct Thumbnail {
    /// The picture.
    pub bytes: Vec<u8>,
    /// `image/jpeg`, or `image/png` where it can be seen through.
    pub media_type: &'static str,
}

/// There can be no thumbnail.
#[derive(Debug, thiserror::Error)]
pub enum ThumbnailError {
    /// It is larger than what is opened.
    #[error("the picture has {width} × {height} pixels, more than is opened here")]
    TooLarge {
        /// px
        width: u32,
        /// px
        height: u32,
    },
    /// It is no picture of a kind that we know, or a broken one.
    #[error("no picture can be read from this file: {0}")]
    Unreadable(#[from] image::ImageError),
}

/// Makes a picture whose longer side has at most `size` pixels. Everything but its pixels is left behind.
///
/// # Errors
/// Where there is no picture, a broken one, or one too large.
pub fn make(original: &[u8], size: u32) -> Result<Thumbnail, ThumbnailError> {
    let mut reader =
        ImageReader::new(Cursor::new(original)).with_guessed_format().map_err(image::ImageError::IoError)?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(ThumbnailError::TooLarge { width, height });
    }
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    if width > size || height > size {
        picture = picture.thumbnail(size, size);
    }
    picture.apply_orientation(orientation);
    write(&picture)
}

fn write(picture: &DynamicImage) -> Result<Thumbnail, ThumbnailError> {
    let mut bytes = Cursor::new(Vec::new());
    let media_type = if picture.color().has_alpha() {
        DynamicImage::ImageRgba8(picture.to_rgba8()).write_to(&mut bytes, ImageFormat::Png)?;
        "image/png"
    } else {
        picture.to_rgb8().write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, QUALITY))?;
        "image/jpeg"
    };
    Ok(Thumbnail { bytes: bytes.into_inner(), media_type })
}
