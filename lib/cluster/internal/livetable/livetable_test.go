package livetable

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/cluster/internal/members"
	"github.com/perijove/perijove/lib/cluster/internal/wire"
	"github.com/perijove/perijove/lib/display"
	"github.com/perijove/perijove/lib/display/displayhost"
)

// TestTableIsUpdated: the output of a table changes when the table does, and not otherwise.
func TestTableIsUpdated(t *testing.T) {
	sent := make(chan displayhost.Message, 100)
	displayhost.SetSink(func(m displayhost.Message) error { sent <- m; return nil })
	defer displayhost.SetSink(nil)
	var done atomic.Int64
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	ended := make(chan bool)
	table := New(func() *members.Table {
		return &members.Table{Rows: []members.Row{{Worker: wire.Worker{Host: "h", Done: int(done.Load())}}}}
	}, func(f func(context.Context)) {
		go func() {
			f(ctx)
			close(ended)
		}()
	})
	if err := display.Show(&shown{table}); err != nil {
		t.Fatal(err)
	}
	first := <-sent
	if first.Kind != displayhost.KindShow || first.ID != table.ID || !strings.Contains(first.Data["text/html"].(string), "<td") {
		t.Errorf("got %+v", first)
	}
	for _, n := range []string{"0", "41", "42"} {
		m := <-sent
		if m.Kind != displayhost.KindUpdate || m.ID != table.ID || !strings.Contains(m.Data["text/html"].(string), ">"+n+"</td>") || !strings.Contains(m.Data["text/plain"].(string), n) {
			t.Errorf("got %+v, want an update with %s", m, n)
		}
		done.Store(max(41, done.Load()+1))
	}
	done.Store(1000)
	cancel()
	<-ended
	last := <-sent
	for len(sent) > 0 {
		last = <-sent
	}
	if !strings.Contains(last.Data["text/plain"].(string), "1000") {
		t.Errorf("the last update is %+v", last)
	}
}

// TestTableWithoutANotebook: there is nothing to update.
func TestTableWithoutANotebook(t *testing.T) {
	table := New(func() *members.Table { return &members.Table{} }, func(func(context.Context)) { t.Error("a goroutine was started") })
	if b := table.MIMEBundle(); !strings.HasPrefix(b["text/plain"].(string), "host") {
		t.Errorf("got %v", b)
	}
}

type shown struct{ *Table }

func (s *shown) DisplayID() string { return s.ID }
