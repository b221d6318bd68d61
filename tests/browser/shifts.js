// How much of what was shown has moved since, as browsers count it (Layout Instability).
window.shifts = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (!entry.hadRecentInput) window.shifts += entry.value;
  }
}).observe({ type: "layout-shift", buffered: true });
