// Package widget puts controls into a notebook: sliders, menus, buttons,
// progress bars. What the user does with them reaches the program while it
// lives, between cells too.
//
//	workers := widget.IntSlider("workers", 1, 8, 2)
//	widget.Live(func() any { return curve(workers.Value()) }, workers)
//
// Live shows the controls and what the function returns, a plot for example,
// and calls it again whenever one of them is moved.
//
// The controls are those of ipywidgets 8, so the front end needs its extension:
// jupyterlab_widgets in JupyterLab (it comes with ipywidgets), and nothing in
// VS Code. In a program that no notebook runs, and where the extension is
// missing, controls keep the values that they were made with.
//
// Functions given to OnChange, OnClick and Live run one at a time for each
// control, in a goroutine of their own. If the user is faster than they are, values
// in between are left out; the last one never is.
//
// Source: the Jupyter widgets' messaging protocol 2.1 and model state 8.0
// (@jupyter-widgets/schema).
package widget
