package members

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/cluster/internal/wire"
)

func TestTable(t *testing.T) {
	own, other := Build{1}, Build{0xab, 0xcd}
	table := Table{Own: own, Waiting: 7, Rows: []Row{
		{wire.Worker{Host: "near", PID: 11, Program: "a<b", Build: own, Slots: 4, Running: 3, Done: 100, Failed: 2, Restarts: 1}, time.Second},
		{wire.Worker{Host: "far", PID: 12, Program: "w", Build: other, Slots: 2, Running: 2, Done: 10, Offers: true}, 5500 * time.Millisecond},
		{wire.Worker{Host: "gone", PID: 13, Program: "w", Build: other, Slots: 8, Running: 8, Done: 1}, 20 * time.Second},
	}}
	want := `host   process  program  build               workers  running  done  failed  lost  seen
near   11       a<b      this                4        3        100   2       1     now
far    12       w        by hash (abcd0000)  2        2        10    0       0     5s ago
gone   13       w        other (abcd0000)    0        0        1     0       0     lost, 20s ago
total  3                                     6        5        111   2       1     7 waiting
`
	if got := table.String(); got != want {
		t.Errorf("the table is\n%s", got)
	}
	page := table.HTML()
	for _, part := range []string{"<th style=\"text-align: left\">host</th>", "a&lt;b", "<td style=\"text-align: right\">111</td>", "opacity", "7 waiting"} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %q: %s", part, page)
		}
	}
	if strings.Contains(page, "<svg") || strings.Contains(page, "<script") {
		t.Error("the page contains what front ends remove")
	}
}

func TestLostWorkersAreListed(t *testing.T) {
	var s List
	s.Update(&wire.Worker{ID: "a", Slots: 2})
	s.Update(&wire.Worker{ID: "b", Slots: 3})
	s.known["b"] = member{s.known["b"].Worker, time.Now().Add(-timeout - time.Second)}
	if n := s.Slots(); n != 2 || len(s.Rows()) != 2 {
		t.Errorf("%d slots, %d rows", n, len(s.Rows()))
	}
	s.known["b"] = member{s.known["b"].Worker, time.Now().Add(-lostTimeout - time.Second)}
	if len(s.Rows()) != 1 {
		t.Errorf("%d rows", len(s.Rows()))
	}
	s.Update(&wire.Worker{ID: "a", Leaving: true})
	if len(s.Rows()) != 0 {
		t.Error("a process that has left is listed")
	}
}

// TestAnnouncementsOfManyProcesses checks that announcements come less often if there are many
// processes, and that a process which announces itself rarely counts as present meanwhile.
func TestAnnouncementsOfManyProcesses(t *testing.T) {
	const shortest = 400 * time.Millisecond
	var s List
	for n, want := range []time.Duration{0: shortest, 1: shortest, 40: shortest, 41: 410 * time.Millisecond, 100: time.Second, 1000: 10 * time.Second} {
		if want == 0 {
			continue
		}
		for len(s.known) < n {
			s.Update(&wire.Worker{ID: fmt.Sprint(len(s.known)), Slots: 1, Interval: want})
		}
		if got := s.Interval(shortest); got != want {
			t.Errorf("%d processes: %v, want %v", n, got, want)
		}
	}
	for age, want := range map[time.Duration]int{timeout + time.Second: 1, 29 * time.Second: 1, 31 * time.Second: 0} {
		s.known = map[string]member{"a": {wire.Worker{ID: "a", Slots: 1, Interval: 10 * time.Second}, time.Now().Add(-age)}}
		if n := s.Slots(); n != want || len(s.Rows()) != 1 {
			t.Errorf("after %v: %d slots, %d rows", age, n, len(s.Rows()))
		}
	}
}
