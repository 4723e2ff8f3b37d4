package notebook

import (
	"strings"
	"testing"
)

// The expected values are what nbformat writes.
func TestCanonicalForm(t *testing.T) {
	for _, test := range []struct{ name, file, want string }{
		{"keys are sorted, and texts are lists",
			`{"nbformat_minor":5,"nbformat":4,"metadata":{"b":{},"a":[]},"cells":[{"source":"x\ny","metadata":{},"id":"i","cell_type":"markdown"}]}`,
			`{"cells":[{"cell_type":"markdown","id":"i","metadata":{},"source":["x\n","y"]}],"metadata":{"a":[],"b":{}},"nbformat":4,"nbformat_minor":5}`},
		{"lines that are split otherwise",
			`{"cells":[{"cell_type":"raw","metadata":{},"source":["a","b\nc","\n"]}],"metadata":{},"nbformat":4,"nbformat_minor":4}`,
			`{"cells":[{"cell_type":"raw","metadata":{},"source":["ab\n","c\n"]}],"metadata":{},"nbformat":4,"nbformat_minor":4}`},
		{"forms of an output",
			code(`{"output_type":"display_data","metadata":{},"data":{"image/png":["aG","k="],"text/plain":"1","application/x+json":["a","b"],"image/svg+xml":"<svg>\n</svg>"}}`),
			code(`{"data":{"application/x+json":["a","b"],"image/png":"aGk=","image/svg+xml":["<svg>\n","</svg>"],"text/plain":["1"]},"metadata":{},"output_type":"display_data"}`)},
		{"streams",
			code(`{"output_type":"stream","name":"stdout","text":"a\nb\n"}`),
			code(`{"name":"stdout","output_type":"stream","text":["a\n","b\n"]}`)},
		{"the lines of a traceback",
			code(`{"output_type":"error","ename":"e","evalue":"","traceback":["b\nc","a"]}`),
			code(`{"ename":"e","evalue":"","output_type":"error","traceback":["b\nc","a"]}`)},
		{"escapes",
			code(`{"output_type":"stream","name":"stdout","text":"\u003c\u2028\u007f\u0001\/\t\ud83d\ude00"}`),
			code("{\"name\":\"stdout\",\"output_type\":\"stream\",\"text\":[\"<\u2028\",\"\x7f\\u0001/\\t😀\"]}")},
		{"half of a surrogate pair is kept",
			code(`{"output_type":"stream","name":"stdout","text":"\ud83d."}`),
			code(`{"name":"stdout","output_type":"stream","text":"\ud83d."}`)},
		{"trust is not stored, and the last of equal keys counts",
			`{"cells":[{"cell_type":"raw","metadata":{"trusted":true,"x":1,"x":2},"source":[]}],"metadata":{},"nbformat":4,"nbformat_minor":4}`,
			`{"cells":[{"cell_type":"raw","metadata":{"x":2},"source":[]}],"metadata":{},"nbformat":4,"nbformat_minor":4}`},
	} {
		nb, err := Parse([]byte(test.file))
		if err != nil {
			t.Fatal(test.name, err)
		}
		got, err := nb.Bytes()
		if err != nil {
			t.Fatal(test.name, err)
		}
		compact := strings.NewReplacer("\n", "", ": ", ":").Replace(outdent(string(got)))
		if compact != test.want || !strings.HasSuffix(string(got), "}\n") {
			t.Errorf("%s: written as\n%s, want\n%s", test.name, compact, test.want)
		}
	}
}

// code is a notebook with one code cell that has an output.
func code(output string) string {
	return `{"cells":[{"cell_type":"code","execution_count":null,"id":"c","metadata":{},"outputs":[` + output + `],"source":[]}],"metadata":{},"nbformat":4,"nbformat_minor":5}`
}

// outdent removes the indentation of lines.
func outdent(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		b.WriteString(strings.TrimLeft(line, " "))
	}
	return b.String()
}

func TestSetKernel(t *testing.T) {
	const spec, language = `{"name":"k"}`, `{"name":"go","version":"1.26"}`
	for metadata, want := range map[string]string{
		`{}`: `"metadata":{"kernelspec":` + spec + `,"language_info":` + language + `}`,
		`{"language_info":{"name":"go"},"z":1,"kernelspec":{"name":"other"}}`: `"metadata":{"kernelspec":{"name":"other"},"language_info":` + language + `,"z":1}`,
	} {
		nb, err := Parse([]byte(`{"cells":[],"metadata":` + metadata + `,"nbformat":4,"nbformat_minor":5}`))
		if err != nil {
			t.Fatal(err)
		}
		type named struct {
			Name    string `json:"name"`
			Version string `json:"version,omitempty"`
		}
		if err := nb.SetKernel(named{Name: "k"}, named{"go", "1.26"}); err != nil {
			t.Fatal(err)
		}
		got, err := nb.Bytes()
		if compact := strings.NewReplacer("\n", "", ": ", ":").Replace(outdent(string(got))); err != nil || !strings.Contains(compact, want) {
			t.Errorf("%s becomes %s, %v", metadata, compact, err)
		}
	}
}
