// Package livetable shows a table of workers in a notebook and updates it there.
package livetable

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"time"

	"github.com/perijove/perijove/lib/cluster/internal/members"
	"github.com/perijove/perijove/lib/display/displayhost"
)

// interval is the interval at which the table in a notebook is compared with the present one.
const interval = 500 * time.Millisecond

// A Table is a table of workers that changes. Its methods may be called concurrently.
type Table struct {
	ID string // identifies the table's outputs in a notebook

	now        func() *members.Table
	background func(f func(context.Context))
	once       sync.Once
}

// New returns a Table. now must return the present table. background must call f in a new
// goroutine; f returns when its context ends.
func New(now func() *members.Table, background func(f func(context.Context))) *Table {
	return &Table{ID: rand.Text(), now: now, background: background}
}

// String returns the present table as text.
func (t *Table) String() string { return t.now().String() }

// MIMEBundle returns the text and HTML forms of the present table. If a notebook can replace
// outputs, MIMEBundle also begins to update the table there.
func (t *Table) MIMEBundle() map[string]any {
	if displayhost.Hosted() && !displayhost.TextOnly() {
		t.once.Do(func() { t.background(t.update) })
	}
	return bundle(t.now())
}

func bundle(t *members.Table) map[string]any {
	return map[string]any{"text/plain": strings.TrimSuffix(t.String(), "\n"), "text/html": t.HTML()}
}

// update replaces the table in the notebook when it has changed, until ctx ends, and then once
// more.
func (t *Table) update(ctx context.Context) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	shown := ""
	for last := false; !last; {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			last = true
		}
		now := t.now()
		if page := now.HTML(); page != shown {
			shown = page
			_ = displayhost.Send(displayhost.Message{Kind: displayhost.KindUpdate, ID: t.ID, Data: bundle(now)}) // the host may have ended
		}
	}
}
