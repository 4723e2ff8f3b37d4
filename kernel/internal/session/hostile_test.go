package session

import (
	"fmt"
	"testing"
)

// flood sends 20,000 messages without waiting for an answer, then bytes that are not a message.
const flood = `send := func(b []byte) {
	for _, err := syscall.Write(3, b); err == syscall.EAGAIN; _, err = syscall.Write(3, b) {
		time.Sleep(time.Millisecond)
	}
}
for i := range 20_000 {
	b := fmt.Appendf(nil, "notice {\"seq\":%d}", i+1_000_000)
	send(append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b...))
}
send(make([]byte, 8))
select {}`

// TestHostileWorker: user code that writes to the control socket can end the worker process, but never the kernel.
func TestHostileWorker(t *testing.T) {
	frame := func(json string) string {
		return fmt.Sprintf("b := []byte(%q)\nsyscall.Write(3, append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b...))\nselect {}", json)
	}
	for name, c := range map[string]struct{ code, want string }{
		"garbage":      {"syscall.Write(3, bytes.Repeat([]byte{0xff}, 100))\nselect {}", "malformed control message"},
		"no JSON":      {frame("{{{{"), "malformed control message"},
		"other type":   {frame(`standby {"pid":"7"}`), "malformed control message"},
		"unknown kind": {frame("dance {}"), `unknown kind "dance"`},
		"ready twice":  {frame("ready {}"), "twice"},
		"closed":       {"syscall.Shutdown(3, syscall.SHUT_RDWR)\nselect {}", "the process that runs the cells died"},
		"flood":        {flood, "malformed control message"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestSession(t)
			execute(t, s, "before := 1")
			mustContain(t, execute(t, s, c.code), "WorkerDied", c.want, "before (cell 1)")
			mustContain(t, execute(t, s, "2 + 2"), "4")
		})
	}
}

// TestForgedEnd: a cell writes a message to the control socket that says that the cell has ended, but not how.
func TestForgedEnd(t *testing.T) {
	s := newTestSession(t)
	got := execute(t, s, "b := []byte(`done {\"id\":1}`)\nsyscall.Write(3, append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b...))\nselect {}")
	mustContain(t, got, "did not report how the cell ended")
}
