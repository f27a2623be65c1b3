//! Pictures that people send: a scan or a photograph of what was signed. What is kept is drawn anew from the points alone, so that
//! nothing else in the file survives: no place, no device, no second file behind the first, nothing that runs.

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};
use std::io::Cursor;
use thiserror::Error;

/// The largest file that is looked at, in bytes.
pub const LARGEST_FILE: usize = 10 * 1024 * 1024;
/// The longest side of a picture that is looked at, in points.
const LONGEST_SIDE: u32 = 12_000;
/// The most memory that one picture may take while it is read, in bytes: 40 million points.
const MOST_MEMORY: u64 = 160 * 1024 * 1024;
/// The longest side of what is kept: an A4 page at 200 points an inch.
const KEPT_SIDE: u32 = 2_339;
/// The shortest side on which anything could be read.
const SHORTEST_SIDE: u32 = 300;
/// How faithfully it is kept, of 100.
const QUALITY: u8 = 80;

/// Why a file is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotKept {
    /// Larger than is looked at, in bytes or in points.
    #[error("picture_too_large")]
    TooLarge,
    /// Neither a JPEG nor a PNG picture, whatever it is called.
    #[error("picture_kind")]
    Kind,
    /// It begins as a picture and cannot be read to its end.
    #[error("picture_broken")]
    Broken,
    /// Too small for anything to be read on it.
    #[error("picture_too_small")]
    TooSmall,
}

/// Draws a picture anew as a JPEG, upright, no larger than a page needs. It takes up to a second of a processor and
/// memory in proportion to the points: not for a thread that others wait for.
///
/// # Errors
/// [`NotKept`].
pub fn redraw(file: &[u8]) -> Result<Vec<u8>, NotKept> {
    if file.len() > LARGEST_FILE {
        return Err(NotKept::TooLarge);
    }
    let format = image::guess_format(file).map_err(|_| NotKept::Kind)?;
    if !matches!(format, ImageFormat::Jpeg | ImageFormat::Png) {
        return Err(NotKept::Kind);
    }
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let refused = |error| match error {
        image::ImageError::Limits(_) => NotKept::TooLarge,
        _ => NotKept::Broken,
    };
    let mut decoder = reader.into_decoder().map_err(refused)?;
    let (width, height) = decoder.dimensions();
    if width.min(height) < SHORTEST_SIDE {
        return Err(NotKept::TooSmall);
    }
    if u64::from(width) * u64::from(height) * 4 > MOST_MEMORY {
        return Err(NotKept::TooLarge);
    }
    let turned = decoder.orientation().map_err(refused)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(refused)?;
    picture.apply_orientation(turned);
    if picture.width().max(picture.height()) > KEPT_SIDE {
        picture = picture.thumbnail(KEPT_SIDE, KEPT_SIDE);
    }
    let mut kept = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut kept, QUALITY);
    picture.into_rgb8().write_with_encoder(encoder).map_err(|_| NotKept::Broken)?;
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage};

    fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let shade = |x: u32| u8::try_from(x % 256).unwrap();
        let drawn = RgbImage::from_fn(width, height, |x, y| Rgb([shade(x), shade(y), 128]));
        let mut file = Cursor::new(Vec::new());
        drawn.write_to(&mut file, format).unwrap();
        file.into_inner()
    }

    /// A JPEG with a comment, as metadata are written.
    fn with_comment(words: &[u8]) -> Vec<u8> {
        let plain = picture(400, 500, ImageFormat::Jpeg);
        let (start, rest) = plain.split_at(2);
        let length = u16::try_from(words.len() + 2).unwrap().to_be_bytes();
        [start, &[0xff, 0xfe], &length, words, rest].concat()
    }

    fn holds(file: &[u8], words: &[u8]) -> bool {
        file.windows(words.len()).any(|window| window == words)
    }

    #[test]
    fn a_picture_is_kept_as_a_jpeg_that_can_be_read() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png] {
            let kept = redraw(&picture(400, 500, format)).unwrap();
            assert_eq!(image::guess_format(&kept).unwrap(), ImageFormat::Jpeg);
            let again = image::load_from_memory(&kept).unwrap();
            assert_eq!((again.width(), again.height()), (400, 500));
        }
        let large =
            image::load_from_memory(&redraw(&picture(2_400, 400, ImageFormat::Jpeg)).unwrap()).unwrap();
        assert_eq!(large.width(), KEPT_SIDE);
    }

    #[test]
    fn nothing_but_the_points_survives() {
        let place = b"GPS 48.85,2.35";
        let file = with_comment(place);
        assert!(holds(&file, place));
        assert!(!holds(&redraw(&file).unwrap(), place));
        // A picture with a script and an archive behind it.
        let tail = b"<script>alert(1)</script>PK\x03\x04";
        let polyglot = [picture(400, 500, ImageFormat::Png), tail.to_vec()].concat();
        let kept = redraw(&polyglot).unwrap();
        assert!(!holds(&kept, b"<script>") && !holds(&kept, b"PK\x03\x04"));
    }

    #[test]
    fn what_is_no_picture_or_would_fill_the_memory_is_refused() {
        let png = picture(400, 500, ImageFormat::Png);
        let mut bomb = png.clone();
        // The width and height in the header, with the check sum they need.
        bomb[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
        let sum = crc32(&bomb[12..29]).to_be_bytes();
        bomb[29..33].copy_from_slice(&sum);
        for (file, why) in [
            (Vec::new(), NotKept::Kind),
            (b"%PDF-1.7 \n".to_vec(), NotKept::Kind),
            (b"<svg onload='alert(1)'/>".to_vec(), NotKept::Kind),
            (b"PK\x03\x04".to_vec(), NotKept::Kind),
            (b"GIF89a".to_vec(), NotKept::Kind),
            (png[..png.len() / 2].to_vec(), NotKept::Broken),
            (picture(299, 500, ImageFormat::Png), NotKept::TooSmall),
            (vec![0xff; LARGEST_FILE + 1], NotKept::TooLarge),
            (bomb, NotKept::TooLarge),
        ] {
            assert_eq!(redraw(&file).map(|_| ()), Err(why), "{:?}", file.get(..8.min(file.len())));
        }
    }

    /// The check sum of a PNG chunk.
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0_u32, |sum, byte| {
            (0..8)
                .fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
        })
    }
}
