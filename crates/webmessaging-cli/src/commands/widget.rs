//! `webmessaging widget`: browsers upload files through it without credentials.

use std::net::TcpListener;
use std::path::Path;

use webmessaging::StoreQuarantine;
use webmessaging::journal::Journal;
use webmessaging::journal::audit::AuditLog;
use webmessaging::model::{UploadLimits, limits};
use webmessaging_gateway::{Widget, WidgetError};

use crate::args::widget::{ServeArgs, WidgetArgs, WidgetCommand};
use crate::data_dir;
use crate::failure::{Exit, Failure, Local};
use crate::interrupt::Interrupt;
use crate::output::{Output, print};

pub(crate) async fn run(args: WidgetArgs, output: Output) -> Result<Exit, Failure> {
    match args.command {
        WidgetCommand::Serve(args) => serve(*args, output).await,
    }
}

async fn serve(args: ServeArgs, output: Output) -> Result<Exit, Failure> {
    let interrupt = Interrupt::listen()?;
    // A larger file is what somebody has asked for; a smaller one keeps the limit of the platform.
    let bytes_max = args.max_file_size.max(limits::FILE_SIZE_BYTES_MAX.value);
    let mut files =
        args.connection.client()?.files().limits(UploadLimits::default().file_size_bytes_max(bytes_max));
    let audit = args.audit_dir.as_deref().map(open_audit).transpose()?;
    if let Some(audit) = &audit {
        files = files.journal(Journal::builder().actor("widget").durable("audit", audit.clone()).build()?);
    }
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
    // Whatever failed, what was recorded is written first.
    if let Some(audit) = audit {
        audit.close().await?;
    }
    served.map_err(|error| Failure::internal("the widget did not run", error))?;
    Ok(Exit::Success)
}

fn open_audit(folder: &Path) -> Result<AuditLog, Failure> {
    let opened = AuditLog::builder(folder).open();
    Ok(opened.map_err(|error| Local::from(error).about(folder.display().to_string()))?)
}

fn not_made(error: WidgetError) -> Failure {
    match error {
        WidgetError::Spool(_) => Failure::internal("the widget cannot run", error),
        error => Local::input("configuration", error.to_string()).into(),
    }
}
