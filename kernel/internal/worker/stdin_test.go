package worker

import (
	"testing"
	"unsafe"
)

// TestUnreadInput: the rest of a line belongs to the cell that asked for the line, and is dropped when the goroutine
// that asked for it ends.
func TestUnreadInput(t *testing.T) {
	t.Cleanup(func() { stdin.unread = nil })
	w := &worker{}
	var labels [2]byte
	mine, other := unsafe.Pointer(&labels[0]), unsafe.Pointer(&labels[1])
	w.keepUnread(mine, []byte("rest of the line\n"))
	w.keepUnread(other, nil)
	b := make([]byte, 5)
	if n := readUnread(other, b); n != 0 {
		t.Errorf("another cell reads %q", b[:n])
	}
	if n := readUnread(mine, b); string(b[:n]) != "rest " {
		t.Errorf("read %q", b[:n])
	}
	big := make([]byte, 100)
	if n := readUnread(mine, big); string(big[:n]) != "of the line\n" {
		t.Errorf("then read %q", big[:n])
	}
	if n := readUnread(mine, big); n != 0 {
		t.Errorf("after the end %q", big[:n])
	}
	x := &execution{}
	w.keepUnread(mine, []byte("again"))
	x.g.Store(stdin.unread[mine].g)
	w.dropUnread(x)
	if n := readUnread(mine, big); n != 0 {
		t.Errorf("after its cell %q is left", big[:n])
	}
}
