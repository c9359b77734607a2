//! `webmessaging widget`: browsers upload files through it without credentials.

use std::net::TcpListener;

use webmessaging::StoreQuarantine;
use webmessaging::journal::Journal;
use webmessaging::model::{UploadLimits, limits};
use webmessaging_gateway::{Widget, WidgetError};

use crate::args::widget::{ServeArgs, WidgetArgs, WidgetCommand};
use crate::data_dir;
use crate::failure::{Exit, Failure, Local};
use crate::interrupt::Interrupt;
use crate::output::{Output, print};
use crate::recording::Recording;

pub(crate) async fn run(args: WidgetArgs, output: Output) -> Result<Exit, Failure> {
    match args.command {
        WidgetCommand::Serve(args) => serve(*args, output).await,
    }
}

async fn serve(args: ServeArgs, output: Output) -> Result<Exit, Failure> {
    let recording = Recording::begin(&args.audit, "widget")?;
    let served = serve_recorded(args, recording.journal(), output).await;
    recording.end(served).await
}

async fn serve_recorded(args: ServeArgs, journal: Journal, output: Output) -> Result<Exit, Failure> {
    let interrupt = Interrupt::listen()?;
    // A larger file is what somebody has asked for; a smaller one keeps the limit of the platform.
    let bytes_max = args.max_file_size.max(limits::FILE_SIZE_BYTES_MAX.value);
    let limits = UploadLimits::default().file_size_bytes_max(bytes_max);
    let mut files = args.connection.client()?.files().limits(limits).journal(journal);
    if args.quarantine {
        files = files.on_quarantine(StoreQuarantine::new(data_dir::store(&args.store).await?));
    }
    let widget = Widget::builder(files)
        .origins(args.origin)
        .file_size_bytes_max(args.max_file_size)
        .uploads_per_minute(args.uploads_per_minute)
        .trusted_proxies(usize::from(args.trusted_proxies))
        .build()
        .map_err(not_made)?;
    let cannot_listen = |error| Failure::internal("cannot listen on the address", error);
    let listener = TcpListener::bind(args.listen).map_err(cannot_listen)?;
    let address = listener.local_addr().map_err(cannot_listen)?;
    print(&format!("listening on http://{address}"))?;
    if !address.ip().is_loopback() {
        output.note(&format!("warning: other machines can reach {address}, without encryption"))?;
    }
    let served = widget.serve(listener, interrupt.heard()).await;
    served.map_err(|error| Failure::internal("the widget did not run", error))?;
    Ok(Exit::Success)
}

fn not_made(error: WidgetError) -> Failure {
    match error {
        WidgetError::Spool(_) => Failure::internal("the widget cannot run", error),
        error => Local::input("configuration", error.to_string()).into(),
    }
}
