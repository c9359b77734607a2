# Keeps a PostgreSQL in a temporary folder: BIN has its programs, PORT is where it listens, SETTINGS are further ones.
# Says 0 when it runs. Its input closes when whoever has started it ends, however that is: then it stops the server and
# removes the folder. Until then it kills it, as a power failure would, and starts it again, as it is told.

trap '' INT
D=$(mktemp -d) || exit 1
start() {
    "$BIN/pg_ctl" -D "$D/data" -w -t 60 -l "$D/log" \
        -o "-p $PORT -c listen_addresses=127.0.0.1 -c unix_socket_directories=$D -c max_connections=300 $SETTINGS" start >/dev/null 2>&1
}
"$BIN/initdb" -D "$D/data" -U test --auth=trust --no-sync -E UTF8 --locale=C >/dev/null 2>"$D/log" && start
echo $?
while read -r order; do
    case $order in
    # With its children, who otherwise finish what they are at.
    kill) P=$(head -1 "$D/data/postmaster.pid"); kill -9 "$P" $(cat "/proc/$P/task/$P/children"); echo $? ;;
    start)
        for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
            start && break
            sleep 0.2
        done
        echo $? ;;
    esac
done
"$BIN/pg_ctl" -D "$D/data" -m immediate stop >/dev/null 2>&1
rm -rf "$D"
