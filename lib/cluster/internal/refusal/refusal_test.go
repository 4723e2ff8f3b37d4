package refusal

import (
	"os"
	"strings"
	"testing"

	"github.com/perijove/perijove/lib/cluster/internal/wire"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/mp/mphost"
	"github.com/perijove/perijove/lib/mp/mpremote"
)

func TestMain(m *testing.M) {
	mp.Init()
	os.Exit(m.Run())
}

// notebook is the Host of a process that runs cells. The tests call none of its methods.
type notebook struct{ mphost.Host }

// TestAdvice: what to do is different in a program and in a notebook.
func TestAdvice(t *testing.T) {
	program, err := mphost.Current()
	if err != nil {
		t.Fatal(err)
	}
	defer mphost.Set(program)
	r := Reason{URL: "nats://h", Build: [32]byte{1}}
	f := &mpremote.Func{Name: "main.f (main.go:1)"}
	other := []wire.Worker{{Host: "far", PID: 17, Program: "old", Build: [32]byte{2}}}
	for _, c := range []struct {
		host    mphost.Host
		workers []wire.Worker
		want    string
	}{
		{program, nil, "no worker has joined nats://h; start some with Workers, here or in another process"},
		{program, other, "main.f (main.go:1) needs a worker of build 01000000, but the processes at nats://h (1) run other builds, such as 02000000 (process 17 on far); start workers from the same file"},
		{notebook{}, nil, "start some with Workers, called in a cell, or with a program that perijove build --worker makes of this notebook"},
		{notebook{}, other, "needs a worker of this notebook, but the processes at nats://h (1) run other programs, such as old (process 17 on far), or are child processes that have called Open themselves; start workers with Workers, called in a cell"},
	} {
		mphost.Set(c.host)
		if got := r.Of(f, c.workers); !strings.Contains(got, c.want) {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
