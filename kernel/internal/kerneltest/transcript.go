package kerneltest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/wire"
)

// checkPairs checks that every request has published busy first and idle last, each once.
func (r *scenario) checkPairs() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range r.ids {
		var states []string
		for _, m := range r.received[IOPub] {
			if s := State(m); s != "" && m.Parent.MsgID == id {
				states = append(states, s)
			}
		}
		n := len(states)
		if n < 2 || states[0] != wire.Busy || states[n-1] != wire.Idle || strings.Count(strings.Join(states, " "), wire.Idle) != 1 {
			return fmt.Errorf("the request %s has the states %q, which must begin with busy and end with the only idle", r.labels[id], states)
		}
	}
	return nil
}

var (
	timestamps  = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z`)
	identifiers = regexp.MustCompile(`\b[A-Z2-7]{26}\b`)
)

// transcript returns the messages of a channel: parent, type, content, and metadata
// if there is any, with identifiers and times masked.
func (r *scenario) transcript(channel string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	messages := slices.Clone(r.received[channel])
	if r.sortByRequest && channel == IOPub {
		slices.SortStableFunc(messages, func(a, b *wire.Message) int {
			return strings.Compare(r.labels[a.Parent.MsgID], r.labels[b.Parent.MsgID])
		})
	}
	busy := make(map[string]bool)
	for _, m := range messages {
		label := r.labels[m.Parent.MsgID]
		if State(m) == wire.Busy {
			if busy[label] {
				continue // busy is published again after a request that was served while the cell runs
			}
			busy[label] = true
		}
		if label == "" {
			label = "--"
		}
		line := fmt.Sprintf("%s %s %s", label, m.Header.MsgType, m.Content)
		if string(m.Metadata) != "{}" {
			line += " meta " + string(m.Metadata)
		}
		if len(m.Buffers) > 0 {
			line += fmt.Sprintf(" buffers %x", m.Buffers)
		}
		line = timestamps.ReplaceAllString(line, "TIME")
		line = identifiers.ReplaceAllString(line, "ID")
		b.WriteString(line + "\n")
	}
	return b.String()
}
