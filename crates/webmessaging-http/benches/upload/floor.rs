//! The floor of an upload with its digest: two threads and a socket, and nothing else.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use sha2::{Digest, Sha256};

const PIECE_BYTES: u64 = 256 * 1024;
/// How far behind the digest may be.
const BEHIND: usize = 4;

/// One thread reads and sends, the other one hashes; both are there before the first upload.
pub(crate) struct Floor {
    stream: TcpStream,
    to_hash: SyncSender<Option<Vec<u8>>>,
    spare: Receiver<Vec<u8>>,
    digests: Receiver<[u8; 32]>,
}

impl Floor {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        let (to_hash, pieces) = sync_channel::<Option<Vec<u8>>>(BEHIND);
        let (empty, spare) = sync_channel(2 * BEHIND);
        let (digest, digests) = sync_channel(1);
        std::thread::spawn(move || {
            let mut hash = Sha256::new();
            while let Ok(piece) = pieces.recv() {
                match piece {
                    Some(piece) => {
                        hash.update(&piece);
                        let _ = empty.try_send(piece);
                    }
                    None => digest.send(hash.finalize_reset().into()).unwrap(),
                }
            }
        });
        Self { stream, to_hash, spare, digests }
    }

    pub(crate) fn upload(&mut self, path: &Path, files: usize) {
        (0..files).for_each(|_| self.one(path));
    }

    fn one(&mut self, path: &Path) {
        let mut file = File::open(path).unwrap();
        let length = file.metadata().unwrap().len();
        write!(self.stream, "PUT /put HTTP/1.1\r\ncontent-length: {length}\r\n\r\n").unwrap();
        loop {
            let mut piece = self.spare.try_recv().unwrap_or_default();
            piece.clear();
            if Read::by_ref(&mut file).take(PIECE_BYTES).read_to_end(&mut piece).unwrap() == 0 {
                break;
            }
            self.stream.write_all(&piece).unwrap();
            self.to_hash.send(Some(piece)).unwrap();
        }
        self.to_hash.send(None).unwrap();
        self.answer();
        std::hint::black_box(self.digests.recv().unwrap());
    }

    /// The sink's answers are short and come in one piece.
    fn answer(&mut self) {
        let mut answer = [0; 1_024];
        assert!(self.stream.read(&mut answer).unwrap() > 0);
    }
}
