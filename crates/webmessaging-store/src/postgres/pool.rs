//! A few connections that calls share: made when they are needed, kept when they are good, never more than a limit.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row, Statement, Transaction};

use crate::error::{Error, ErrorKind};

/// What a connection begins with. A server on which somebody has switched off the flush of commits is asked to flush ours;
/// nothing waits for ever.
const SESSION: &str = "
    set search_path to webmessaging;
    set statement_timeout = '30s';
    set lock_timeout = '10s';
    set idle_in_transaction_session_timeout = '60s';
    select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off';";

/// The values of a statement.
pub(super) type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

pub(super) struct Pool {
    config: Config,
    places: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

/// A connection with the statements that it has prepared.
struct Connection {
    client: Client,
    statements: HashMap<&'static str, Statement>,
    /// A call was begun and nobody has heard its answer.
    in_flight: bool,
}

/// A connection on loan; it goes back when this is dropped, unless that was in the middle of a call.
pub(super) struct Lent<'a> {
    pool: &'a Pool,
    connection: Option<Connection>,
    _place: SemaphorePermit<'a>,
}

/// A transaction; taken back unless it is committed.
pub(super) struct Work<'a> {
    transaction: Transaction<'a>,
    statements: &'a mut HashMap<&'static str, Statement>,
    in_flight: &'a mut bool,
}

impl Pool {
    pub(super) fn new(config: Config, connections: usize) -> Self {
        Self { config, places: Semaphore::new(connections.max(1)), idle: Mutex::default() }
    }

    /// A connection, as soon as there is one to spare.
    pub(super) async fn get(&self) -> Result<Lent<'_>, Error> {
        let place = self.places.acquire().await.map_err(|_| Error::new(ErrorKind::Internal))?;
        let connection = match self.take() {
            Some(connection) => connection,
            None => connect(&self.config).await?,
        };
        Ok(Lent { pool: self, connection: Some(connection), _place: place })
    }

    fn take(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // What broke while nobody looked is forgotten here.
        idle.retain(|connection| !connection.client.is_closed());
        idle.pop()
    }
}

async fn connect(config: &Config) -> Result<Connection, Error> {
    let (client, connection) = config.connect(NoTls).await?;
    // Ends with the client. What goes wrong with it, the client's next call tells.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    client.batch_execute(SESSION).await?;
    Ok(Connection { client, statements: HashMap::new(), in_flight: false })
}

impl Lent<'_> {
    pub(super) async fn execute(&mut self, sql: &'static str, values: Values<'_>) -> Result<u64, Error> {
        let Connection { client, statements, in_flight } = self.connection()?;
        let call = async {
            let statement = match statements.get(sql) {
                Some(statement) => statement,
                None => statements.entry(sql).or_insert(client.prepare(sql).await?),
            };
            client.execute(statement, values).await
        };
        to_its_end(in_flight, call).await
    }

    pub(super) async fn query(&mut self, sql: &'static str, values: Values<'_>) -> Result<Vec<Row>, Error> {
        let Connection { client, statements, in_flight } = self.connection()?;
        let call = async {
            let statement = match statements.get(sql) {
                Some(statement) => statement,
                None => statements.entry(sql).or_insert(client.prepare(sql).await?),
            };
            client.query(statement, values).await
        };
        to_its_end(in_flight, call).await
    }

    /// The first row, of those that there are.
    pub(super) async fn first(
        &mut self,
        sql: &'static str,
        values: Values<'_>,
    ) -> Result<Option<Row>, Error> {
        Ok(self.query(sql, values).await?.into_iter().next())
    }

    pub(super) async fn begin(&mut self) -> Result<Work<'_>, Error> {
        let Connection { client, statements, in_flight } = self.connection()?;
        let transaction = to_its_end(in_flight, client.transaction()).await?;
        Ok(Work { transaction, statements, in_flight })
    }

    fn connection(&mut self) -> Result<&mut Connection, Error> {
        self.connection.as_mut().ok_or_else(|| Error::new(ErrorKind::Internal))
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if connection.client.is_closed() {
            // The server went away; the others only do not know it yet.
            idle.clear();
        } else if !connection.in_flight {
            idle.push(connection);
        }
        // Whoever got one that still works for somebody who has gone would wait for that to end.
    }
}

impl Work<'_> {
    pub(super) async fn execute(&mut self, sql: &'static str, values: Values<'_>) -> Result<u64, Error> {
        let statement = self.statement(sql).await?;
        to_its_end(self.in_flight, self.transaction.execute(&statement, values)).await
    }

    pub(super) async fn query(&mut self, sql: &'static str, values: Values<'_>) -> Result<Vec<Row>, Error> {
        let statement = self.statement(sql).await?;
        to_its_end(self.in_flight, self.transaction.query(&statement, values)).await
    }

    /// The first row, of those that there are.
    pub(super) async fn first(
        &mut self,
        sql: &'static str,
        values: Values<'_>,
    ) -> Result<Option<Row>, Error> {
        Ok(self.query(sql, values).await?.into_iter().next())
    }

    /// Runs statements without values, for migrations.
    pub(super) async fn batch(&mut self, sql: &str) -> Result<(), Error> {
        to_its_end(self.in_flight, self.transaction.batch_execute(sql)).await
    }

    pub(super) async fn commit(self) -> Result<(), Error> {
        to_its_end(self.in_flight, self.transaction.commit()).await
    }

    async fn statement(&mut self, sql: &'static str) -> Result<Statement, Error> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = to_its_end(self.in_flight, self.transaction.prepare(sql)).await?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }
}

/// Makes a call; one that is dropped in the middle is seen to be in flight.
async fn to_its_end<T>(
    in_flight: &mut bool,
    call: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Error> {
    *in_flight = true;
    let answer = call.await;
    *in_flight = false;
    Ok(answer?)
}
