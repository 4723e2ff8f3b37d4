package keyvalue

import (
	"crypto/rand"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// If the answer to a change is lost, the next try finds that the key has another revision.
// The key may have it from the first try. So each value has, as a header, the last change of each
// writer. A writer makes one change at a time: it begins the next one when it knows whether the
// change before was made. So the header tells whether a change was made, no matter how many changes of other
// writers followed.

const (
	// changesHeader is the header with the last changes of a key, the newest first.
	changesHeader = "Perijove-Changes"
	// changeTimeout is how long a change stays in the header, by the clock of the server. Swap
	// gives up before that.
	changeTimeout = 5 * time.Minute
	// maxChanges is how many changes the header has at most.
	maxChanges = 1000
	// writerSize is the length of a writer's id in letters of five bits.
	writerSize = 8
)

// A change is a change of a key.
type change struct {
	writer string
	number uint64    // of the changes of the writer
	time   time.Time // by the clock of the server; zero if it is not known
}

func (c change) is(d change) bool { return c.writer == d.writer && c.number == d.number }

// encodeChanges returns the header for changes.
func encodeChanges(list []change) string {
	var b strings.Builder
	for i, c := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(c.writer + "." + strconv.FormatUint(c.number, 36) + ".")
		if !c.time.IsZero() {
			b.WriteString(strconv.FormatInt(c.time.Unix(), 36))
		}
	}
	return b.String()
}

// decodeChanges returns the changes in a header. stored is the time of the message; a change
// whose time the writer of the message did not know gets this time. It leaves out what is
// malformed.
func decodeChanges(header string, stored time.Time) (list []change) {
	for part := range strings.SplitSeq(header, ",") {
		fields := strings.Split(part, ".")
		if len(fields) != 3 {
			continue
		}
		number, err := strconv.ParseUint(fields[1], 36, 64)
		if err != nil {
			continue
		}
		c := change{fields[0], number, stored}
		if seconds, err := strconv.ParseInt(fields[2], 36, 64); err == nil {
			c.time = time.Unix(seconds, 0)
		}
		list = append(list, c)
	}
	return list
}

// follow returns the list of changes after c, which follows the changes of the Entry old. The
// list has no older change of the same writer, and no change that is so old that its writer knows
// whether it was made.
func follow(old *Entry, c change) []change {
	list := []change{c}
	for _, before := range old.changes {
		isOld := !before.time.IsZero() && old.Created.Sub(before.time) > changeTimeout
		if before.writer != c.writer && !isOld && len(list) < maxChanges {
			list = append(list, before)
		}
	}
	return list
}

// find returns the position of c among the changes of e, or -1. known is false if the list may
// lack c although c was made.
func (e *Entry) find(c change) (i int, known bool) {
	i = slices.IndexFunc(e.changes, c.is)
	return i, i >= 0 || len(e.changes) > 0 && len(e.changes) < maxChanges
}

// writers has the writers of a Store that make no change at the moment. There are as many writers
// as changes that the Store makes at once.
type writers struct {
	mu   sync.Mutex
	idle []change // the last one of each
}

// begin returns the next change of a writer that makes none at the moment.
func (w *writers) begin() change {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := change{writer: rand.Text()[:writerSize]}
	if n := len(w.idle); n > 0 {
		c, w.idle = w.idle[n-1], w.idle[:n-1]
	}
	c.number++
	return c
}

// end records that it is known whether c was made.
func (w *writers) end(c change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.idle = append(w.idle, c)
}
