//! The emulated virus scan and format check, fed chunk by chunk so that no file is held in memory.

use memchr::memmem::Finder;

/// The EICAR test string in two halves, so that this source file is not itself the test file.
const EICAR_HALVES: [&[u8]; 2] =
    [b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$", b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];

/// Length of the EICAR test string in bytes.
const EICAR_BYTES: usize = 68;

/// As many leading bytes as the longest signature below.
const HEAD_BYTES: usize = 8;

/// What the search for viruses came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VirusScan {
    /// Nothing was found.
    Clean,
    /// The EICAR test string is somewhere in the file.
    Malicious,
    /// Nobody wanted one.
    Skipped,
    /// The scanner broke down, before it came to any result.
    Failed,
}

/// What the scan found, once it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) virus_scan: VirusScan,
    /// The content fits the content type that was declared for it.
    pub(crate) is_format_valid: bool,
}

impl Verdict {
    /// Whether the file may be handed out.
    pub(crate) fn is_cleared(self) -> bool {
        self.virus_scan == VirusScan::Clean && self.is_format_valid
    }

    /// Whether the content fits its type: `passed` or `failed`; nobody knows after a scan that failed.
    pub(crate) fn format_validation(self) -> Option<&'static str> {
        let known = if self.is_format_valid { "passed" } else { "failed" };
        (self.virus_scan != VirusScan::Failed).then_some(known)
    }
}

/// A scan in progress.
#[derive(Debug)]
pub(crate) struct Scanner {
    content_type: String,
    eicar: Finder<'static>,
    head: Vec<u8>,
    /// The last bytes seen, one fewer than the test string has: a match may begin in them.
    tail: Vec<u8>,
    has_eicar: bool,
    has_nul: bool,
}

impl Scanner {
    /// Begins the scan of a file declared as `content_type`.
    pub(crate) fn new(content_type: &str) -> Self {
        Self {
            content_type: content_type.to_owned(),
            eicar: Finder::new(&EICAR_HALVES.concat()).into_owned(),
            head: Vec::with_capacity(HEAD_BYTES),
            tail: Vec::with_capacity(2 * EICAR_BYTES),
            has_eicar: false,
            has_nul: false,
        }
    }

    /// Takes the next bytes of the file.
    pub(crate) fn update(&mut self, chunk: &[u8]) {
        let missing = HEAD_BYTES.saturating_sub(self.head.len());
        self.head.extend(chunk.iter().take(missing));
        self.has_nul = self.has_nul || chunk.contains(&0);

        let overlap = EICAR_BYTES - 1;
        self.tail.extend(chunk.iter().take(overlap));
        let finds = |bytes: &[u8]| self.eicar.find(bytes).is_some();
        self.has_eicar = self.has_eicar || finds(&self.tail) || finds(chunk);
        if chunk.len() >= overlap {
            self.tail.clear();
            self.tail.extend(chunk.iter().skip(chunk.len() - overlap));
        } else {
            let surplus = self.tail.len().saturating_sub(overlap);
            self.tail.drain(..surplus);
        }
    }

    /// Ends the scan.
    pub(crate) fn finish(self) -> Verdict {
        let is_format_valid = match self.content_type.as_str() {
            "image/png" => self.head.starts_with(b"\x89PNG\r\n\x1a\n"),
            "image/jpeg" => self.head.starts_with(b"\xff\xd8\xff"),
            "image/gif" => self.head.starts_with(b"GIF87a") || self.head.starts_with(b"GIF89a"),
            "application/pdf" => self.head.starts_with(b"%PDF-"),
            // An OLE compound file and a zip archive: what is inside is not looked at.
            "application/msword" => self.head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => {
                self.head.starts_with(b"PK\x03\x04")
            }
            // A byte order mark says that characters are wider than a byte, so that NULs are part of them.
            "text/plain" => {
                !self.has_nul || self.head.starts_with(b"\xff\xfe") || self.head.starts_with(b"\xfe\xff")
            }
            // The schema lets nothing else through.
            _ => false,
        };
        let virus_scan = if self.has_eicar { VirusScan::Malicious } else { VirusScan::Clean };
        Verdict { virus_scan, is_format_valid }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(content_type: &str, chunks: &[&[u8]]) -> Verdict {
        let mut scanner = Scanner::new(content_type);
        for chunk in chunks {
            scanner.update(chunk);
        }
        scanner.finish()
    }

    fn is_malicious(content_type: &str, chunks: &[&[u8]]) -> bool {
        scan(content_type, chunks).virus_scan == VirusScan::Malicious
    }

    fn eicar() -> Vec<u8> {
        EICAR_HALVES.concat()
    }

    #[test]
    fn the_test_string_has_its_published_length() {
        assert_eq!(eicar().len(), EICAR_BYTES);
    }

    #[test]
    fn eicar_is_found_wherever_a_chunk_boundary_cuts_it() {
        let file = [b"some text X X5O! before ".as_slice(), &eicar(), b" and after X"].concat();
        for cut in 0..=file.len() {
            let (left, right) = file.split_at(cut);
            assert!(is_malicious("text/plain", &[left, right]), "cut at {cut}");
        }
        for size in 1..=EICAR_BYTES + 2 {
            let chunks: Vec<&[u8]> = file.chunks(size).collect();
            assert!(is_malicious("text/plain", &chunks), "chunks of {size}");
        }
    }

    #[test]
    fn an_altered_or_unfinished_test_string_is_clean() {
        for at in 0..EICAR_BYTES {
            let mut altered = eicar();
            altered[at] ^= 1;
            assert!(!is_malicious("text/plain", &[&altered]), "byte {at}");
        }
        assert!(!is_malicious("text/plain", &[&eicar()[..EICAR_BYTES - 1]]));
        assert!(!is_malicious("text/plain", &[&[b'X'; 500]]));
    }

    #[test]
    fn each_format_is_told_by_its_first_bytes_however_they_arrive() {
        let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
        let cases: [(&str, &[u8]); 8] = [
            ("image/png", b"\x89PNG\r\n\x1a\n...."),
            ("image/jpeg", b"\xff\xd8\xff\xe0...."),
            ("image/gif", b"GIF87a...."),
            ("image/gif", b"GIF89a...."),
            ("application/pdf", b"%PDF-1.7...."),
            ("application/msword", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1...."),
            (docx, b"PK\x03\x04...."),
            ("text/plain", b"hello"),
        ];
        for (content_type, bytes) in cases {
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert!(scan(content_type, &[bytes]).is_cleared(), "{content_type}");
            assert!(scan(content_type, &single).is_cleared(), "{content_type}, byte by byte");
            if content_type != "text/plain" {
                assert!(!scan(content_type, &[b"MZ\x90\x00...."]).is_format_valid, "{content_type}");
                assert!(!scan(content_type, &[&bytes[..2]]).is_format_valid, "{content_type}, cut short");
            }
        }
        assert!(!scan("text/plain", &[b"hello", b"\0"]).is_format_valid);
        assert!(scan("text/plain", &[b"\xff\xfeh\0i\0"]).is_format_valid);
        assert!(!scan("application/zip", &[b"PK\x03\x04"]).is_format_valid);
    }
}
