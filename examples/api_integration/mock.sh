# Runs a command against a mock of openapi.json. In the sandbox the network's loopback is down: a namespace within it has its own.
if [ -z "$MOCK_INSIDE" ] && ! python3 -c "import socket; socket.create_server(('127.0.0.1', 0)).getsockname(); s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname(), 1)" 2>/dev/null; then
  export MOCK_INSIDE=1
  exec unshare -rn sh -c 'ip link set lo up && exec sh .mock.sh "$@"' sh "$@"
fi
exec python3 .mock.py openapi.json "$@"
