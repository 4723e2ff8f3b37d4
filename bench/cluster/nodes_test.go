package main

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/perijove/perijove/lib/mp"
)

func TestMain(m *testing.M) {
	mp.Init()
	os.Exit(m.Run())
}

// TestPortThatIsTaken starts servers whose ports another process uses: the port for clients, or
// the one for the other servers.
func TestPortThatIsTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().(*net.TCPAddr).Port
	for name, at := range map[string]struct{ port, route int }{"clients": {taken, -1}, "servers": {-1, taken}} {
		routes := []int{at.route, at.route}
		if _, _, err := startNodesAt(t.Context(), []int{at.port}, routes); err == nil || !strings.Contains(err.Error(), "has ended") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestStartNodes(t *testing.T) {
	urls, stop, err := startNodes(context.Background(), 3)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for i, url := range strings.Split(urls, ",") {
		if _, err := usageOf(url, "node"+string(rune('0'+i))); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}
