package control

import (
	"net"
	"sync"
	"testing"
)

// TestAsk answers messages in another order than they were sent.
func TestAsk(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	var p Pending
	go func() {
		kernel := New(theirs)
		var seqs []int
		for range 2 {
			m, err := kernel.Receive()
			if err != nil {
				t.Error(err)
				return
			}
			seqs = append(seqs, m.(Notice).Seq)
		}
		for i := range seqs {
			seq := seqs[len(seqs)-1-i]
			p.Answer(seq, Ack{Seq: seq})
		}
		p.Answer(99, Ack{Seq: 99}) // no message waits for this
	}()
	conn := New(ours)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			asked := 0
			answer, err := p.Ask(conn, func(seq int) Message { asked = seq; return Notice{Seq: seq} })
			if err != nil || answer.Sequence() != asked {
				t.Errorf("the answer to %d is %v, %v", asked, answer, err)
			}
		})
	}
	wg.Wait()
}

func TestAskClosed(t *testing.T) {
	ours, theirs := net.Pipe()
	theirs.Close()
	var p Pending
	if _, err := p.Ask(New(ours), func(seq int) Message { return Notice{Seq: seq} }); err == nil {
		t.Error("no error although the other side is gone")
	}
	if len(p.waiting) > 0 {
		t.Errorf("%d still wait", len(p.waiting))
	}
}
