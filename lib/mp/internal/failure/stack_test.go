package mp

import "testing"

func TestCrashSummary(t *testing.T) {
	for name, tt := range map[string]struct{ report, want string }{
		"a panic": {"panic: elsewhere\n\ngoroutine 5 [running]:\nmain.f.func1()\n\tmain.go:1 +0x25\ncreated by main.f in goroutine 1\n\tmain.go:1 +0x1a\n\ngoroutine 1 [select]:\nmain.f()\n\tmain.go:2 +0x1\n",
			"panic: elsewhere\n\ngoroutine 5 [running]:\nmain.f.func1()\n\tmain.go:1 +0x25\ncreated by main.f in goroutine 1\n\tmain.go:1 +0x1a"},
		"a stack overflow": {"runtime stack:\nruntime.throw({0x1})\n\tpanic.go:1 +0x48 fp=0x7 sp=0x7 pc=0x4\n\n" +
			"goroutine 1 gp=0x1 m=0 mp=0x2 [running, locked to thread]:\nmain.deep(0x1?)\n\tmain.go:1 +0x2d fp=0x1 sp=0x2 pc=0x3\n" +
			"main.deep(0x0?)\n\tmain.go:1 +0x2d fp=0x1 sp=0x2 pc=0x3\n...22369433 frames elided...\nmain.deep(0x0?)\n\tmain.go:1 +0x2d fp=0x1 sp=0x2 pc=0x3\n" +
			"main.top(...)\n\tmain.go:9\n" + library + "/internal/call.Invoke[...](0x1)\n\tshape.go:61 +0x71\nmain.main()\n\tmain.go:3 +0x1\n",
			"goroutine 1 [running, locked to thread]:\nmain.deep(0x1?)\n\tmain.go:1 +0x2d\n… 3 times\nmain.top(...)\n\tmain.go:9"},
		"nothing":        {"", ""},
		"something else": {"SIGSEGV: segmentation violation", "SIGSEGV: segmentation violation"},
		"cut short":      {"goroutine 1", "goroutine 1"},
	} {
		if got := crashSummary(tt.report); got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, tt.want)
		}
	}
}

func TestPanicStackOfAnotherShapeIsKept(t *testing.T) {
	for _, text := range []string{"", "goroutine 1 [running]:\n", "goroutine 1 [running]:\nmain.f()\n\tmain.go:1 +0x1\n"} {
		if got := panicStack([]byte(text)); text == "" && got != "" || len(got) < len(text) {
			t.Errorf("%q became %q", text, got)
		}
	}
}
