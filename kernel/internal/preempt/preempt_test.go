package preempt

import (
	"testing"
	"unsafe"
)

func clearTargets(t *testing.T) {
	t.Cleanup(func() {
		for i := range targets {
			targets[i].g.Store(0)
		}
	})
}

func TestRequestAndCancel(t *testing.T) {
	clearTargets(t)
	if Pending(7) || TargetOf(7) != nil {
		t.Fatal("a goroutine that was not named is a target")
	}
	for g := range uintptr(MaxTargets) {
		if !Request(g + 1) {
			t.Fatalf("no room for target %d", g+1)
		}
	}
	if !Request(3) {
		t.Error("a second request for the same goroutine needs room")
	}
	if Request(MaxTargets + 1) {
		t.Error("there is room for one target more than MaxTargets")
	}
	Cancel(5)
	if Pending(5) || !Request(MaxTargets+1) {
		t.Error("what was canceled leaves no room")
	}
}

// TestRequestForgets: a new target does not have the state of an earlier target in the same slot.
func TestRequestForgets(t *testing.T) {
	clearTargets(t)
	Request(1)
	old := TargetOf(1)
	old.want.Store(0x1000)
	old.Detour(0x1000, 0x2000)
	old.hits.Store(9)
	old.Diverted.Store(true)
	Cancel(1)
	Request(2)
	now := TargetOf(2)
	if now != old {
		t.Fatal("the first place is not used again")
	}
	if now.Return() != 0 || now.detour.Load() != nil || now.Outside() != 0 || now.Diverted.Load() {
		t.Error("the new target has what was known of the old one")
	}
}

// TestDivert: the return address is returned once, and it is replaced when the detour is known.
func TestDivert(t *testing.T) {
	stack := [1]uintptr{0x1000}
	slot := uintptr(unsafe.Pointer(&stack[0]))
	callSite = func(g, at, bp uintptr) (uintptr, uintptr) { return slot, stack[0] }
	defer func() { callSite = nil }()
	target := &Target{}
	target.divert(1, 0, 0)
	if stack[0] != 0x1000 {
		t.Fatal("the address was changed before there was another")
	}
	if got := target.Return(); got != 0x1000 {
		t.Errorf("the goroutine will return to %#x", got)
	}
	if target.Return() != 0 {
		t.Error("the address is returned twice")
	}
	target.Detour(0x1000, 0x2000)
	target.divert(1, 0, 0)
	if stack[0] != 0x2000 {
		t.Errorf("the address is %#x, not the detour's", stack[0])
	}
	target.divert(1, 0, 0)
	if stack[0] != 0x2000 || target.Return() != 0 {
		t.Error("a diverted goroutine is diverted again")
	}
}

func TestCurrentG(t *testing.T) {
	own := CurrentG()
	other := make(chan uintptr)
	go func() { other <- CurrentG() }()
	if g := <-other; own == 0 || g == 0 || g == own || own != CurrentG() {
		t.Errorf("this goroutine is %#x, another %#x", own, g)
	}
}
