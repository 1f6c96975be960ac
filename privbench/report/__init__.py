"""The report: figures of a run summed up over seeds, as tables in a terminal and as one self-contained HTML page.

`summary` computes, `terminal` prints, `page` writes; all three start from the flat table of `privbench.record`.
Nothing is imported here: a command that reports nothing need not wait for pandas, plotly or rich.
"""
