package mp

import "testing"

func TestWithArticle(t *testing.T) {
	for name, want := range map[string]string{
		"os.File": "an os.File", "io.Reader": "an io.Reader", "interface {}": "an interface {}", "int": "an int",
		"uint8": "a uint8", "uintptr": "a uintptr", "unsafe.Pointer": "an unsafe.Pointer", "url.URL": "a url.URL",
		"*os.File": "a *os.File", "[]int": "a []int", "chan int": "a chan int", "func()": "a func()",
		"mp.Queue[int]": "an mp.Queue[int]", "http.Client": "an http.Client", "main.T": "a main.T",
		"Array": "an Array", "Event": "an Event", "RWMutex": "an RWMutex", "Mutex": "a Mutex", "": "a ",
	} {
		if got := WithArticle(name); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
