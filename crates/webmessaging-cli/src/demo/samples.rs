//! The files that the demo uploads, made on the spot.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The test file that every virus scanner knows, in two halves, so that no scanner stops this program.
const EICAR: [&str; 2] = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];

/// A document of some pages, a file that is found malicious, and a program under a document's name.
pub(crate) struct Samples {
    pub(crate) document: PathBuf,
    pub(crate) malicious: PathBuf,
    pub(crate) renamed: PathBuf,
}

impl Samples {
    pub(crate) fn write(folder: &Path) -> io::Result<Self> {
        let write = |name: &str, content: &[u8]| {
            let path = folder.join(name);
            fs::write(&path, content).map(|()| path)
        };
        Ok(Self {
            document: write("sample-document.pdf", &document())?,
            malicious: write("eicar.txt", EICAR.concat().as_bytes())?,
            renamed: write("holiday-photos.pdf", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0")?,
        })
    }
}

/// A document of some pages.
pub(crate) fn document() -> Vec<u8> {
    pdf(2_000).into_bytes()
}

/// A PDF that any viewer opens, with this many lines of text.
fn pdf(lines: usize) -> String {
    let mut text = String::from("BT /F1 4 Tf 4.2 TL 40 800 Td\n");
    for line in 1..=lines {
        // Formatting into a string cannot fail.
        let _ = writeln!(text, "(line {line} of a document that was made for this demo) Tj T*");
    }
    text.push_str("ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{text}\nendstream", text.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut pdf = String::from("%PDF-1.4\n");
    let mut offsets = Vec::new();
    for (object, number) in objects.iter().zip(1..) {
        offsets.push(pdf.len());
        let _ = write!(pdf, "{number} 0 obj\n{object}\nendobj\n");
    }
    let table = pdf.len();
    let _ = write!(pdf, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for offset in offsets {
        let _ = writeln!(pdf, "{offset:010} 00000 n ");
    }
    let _ =
        write!(pdf, "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n", objects.len() + 1);
    pdf
}
