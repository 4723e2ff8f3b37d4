package notebook

import (
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/highlight"
	"github.com/perijove/perijove/kernel/internal/output"
)

// preferredTypes are the MIME types that an export can show, best first.
var preferredTypes = []string{
	"text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp",
	"text/latex", "application/json", "text/plain",
}

func (m *markdown) output(o Output) (template.HTML, error) {
	switch o.Type {
	case StreamOutput:
		class := "stdout"
		if o.Name == output.Stderr {
			class = "stderr"
		}
		return preformatted(class, o.Text), nil
	case ErrorOutput:
		lines := o.Err.Colored()
		if len(lines) == 0 {
			lines = []string{o.Err.Error()}
		}
		return preformatted("error", strings.Join(lines, "\n")), nil
	}
	return m.bundle(o)
}

func preformatted(class, text string) template.HTML {
	return template.HTML(`<pre class="` + class + `">` + ansiHTML(strings.TrimRight(text, "\n")) + "</pre>")
}

func (m *markdown) bundle(o Output) (template.HTML, error) {
	for _, mimeType := range preferredTypes {
		form, ok := o.Data[mimeType]
		if !ok {
			continue
		}
		text, isText := form.(string)
		switch {
		case mimeType == "application/json":
			return jsonForm(form)
		case !isText:
			continue
		case mimeType == "text/html":
			return template.HTML(text), nil
		case mimeType == "text/markdown":
			return m.render(text, nil)
		case mimeType == "text/plain" && text == "": // for example of a widget, whose model is stored elsewhere in the file
			return "", nil
		case mimeType == "text/plain":
			return preformatted("result", text), nil
		case mimeType == "text/latex":
			return template.HTML(latex(text)), nil
		case mimeType == "image/svg+xml":
			return picture(o, mimeType, dataURI(mimeType, []byte(text))), nil
		default:
			return picture(o, mimeType, "data:"+mimeType+";base64,"+strings.ReplaceAll(text, "\n", "")), nil
		}
	}
	var types []string
	for mimeType := range o.Data {
		types = append(types, mimeType)
	}
	slices.Sort(types)
	return preformatted("result", "[an output that this page cannot show; its types: "+strings.Join(types, ", ")+"]"), nil
}

// picture returns an img element. SVG pictures are embedded in the same way: in an img element, they cannot run
// scripts, and their identifiers and styles do not affect the page.
func picture(o Output, mimeType, uri string) template.HTML {
	var b strings.Builder
	fmt.Fprintf(&b, `<img src="%s"`, template.HTMLEscapeString(uri))
	if alt, ok := o.Data["text/plain"].(string); ok {
		fmt.Fprintf(&b, ` alt="%s"`, template.HTMLEscapeString(alt))
	}
	if size, ok := o.Metadata[mimeType].(map[string]any); ok {
		for _, side := range []string{"width", "height"} {
			switch v := size[side].(type) {
			case int, float64:
				fmt.Fprintf(&b, ` %s="%v"`, side, v)
			}
		}
	}
	b.WriteString(">")
	return template.HTML(b.String())
}

func jsonForm(form any) (template.HTML, error) {
	text, err := json.MarshalIndent(form, "", "  ")
	if err != nil {
		return "", err
	}
	return highlight.HTML(string(text), "json"), nil
}
