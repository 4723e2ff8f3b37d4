package progresshost

import "testing"

func TestBegin(t *testing.T) {
	Begin(Task{What: "nobody sees this"})()
	ended := 0
	var got Task
	SetHost(func(task Task) func() { got = task; return func() { ended++ } })
	defer SetHost(nil)
	end := Begin(Task{"map", func() (int, int) { return 1, 2 }})
	if done, total := got.Count(); !Hosted() || got.What != "map" || done != 1 || total != 2 || ended != 0 {
		t.Errorf("the host got %v, %d of %d", got.What, done, total)
	}
	if end(); ended != 1 {
		t.Errorf("ended %d times", ended)
	}
}
