package widget

import "sync"

// controlState returns the part of the state that every control has.
func controlState(description, style string) map[string]any {
	return map[string]any{
		"description": description, "disabled": false,
		"layout": layout().reference(), "style": newStyle(style).reference(),
	}
}

// layout returns the Layout model that all widgets share.
var layout = sync.OnceValue(func() *model { return newModel(base, "Layout", nil, nil) })

// styles holds one style model of each kind: by name, a func() *model that opens it.
var styles sync.Map

func newStyle(name string) *model {
	open, _ := styles.LoadOrStore(name, sync.OnceValue(func() *model {
		return newModel(controls, name, map[string]any{
			"_view_module": base, "_view_name": "StyleView", "description_width": "initial",
		}, nil)
	}))
	return open.(func() *model)()
}
