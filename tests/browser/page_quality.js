// What a page says of itself and how it is made; gives what is wrong, in words.
(() => {
  const troubles = [];
  const one = (selector) => document.querySelector(selector);
  const expect = (fine, words) => fine || troubles.push(words);
  const text = (selector, name) => (one(selector)?.getAttribute(name) ?? "").trim();

  expect(document.compatMode === "CSS1Compat", "there is no doctype");
  expect(document.characterSet === "UTF-8", "it is not UTF-8");
  expect(document.title.trim().length > 3, "there is no title");
  expect(document.documentElement.lang, "html has no lang");
  expect(text('meta[name="viewport"]', "content").includes("width=device-width"), "no viewport");
  expect(!/maximum-scale|user-scalable=no/.test(text('meta[name="viewport"]', "content")),
    "it cannot be enlarged");
  expect(one('link[rel~="icon"]'), "there is no icon");
  const kept = one("meta[name='robots'][content*='noindex']");
  expect(kept || text('meta[name="description"]', "content").length > 10, "no description");
  expect(kept || one('link[rel="canonical"]'), "there is no canonical address");

  const headings = [...document.querySelectorAll("h1,h2,h3,h4,h5,h6")]
    .filter((each) => each.checkVisibility());
  const h1 = headings.filter((each) => each.tagName === "H1").length;
  expect(h1 === 1, `${h1} h1`);
  headings.reduce((level, each) => {
    const next = Number(each.tagName[1]);
    expect(next <= level + 1, `${each.tagName.toLowerCase()} after h${level}: ${each.innerText}`);
    return next;
  }, 0);

  for (const each of document.images) {
    expect(each.hasAttribute("width") && each.hasAttribute("height"),
      `an image has no size of its own: ${each.src}`);
  }
  for (const each of document.querySelectorAll('a[target="_blank"]')) {
    expect(/noopener|noreferrer/.test(each.rel), `no noopener: ${each.href}`);
  }
  for (const each of document.querySelectorAll("head script[src]")) {
    expect(each.defer || each.async || each.type === "module", `a script blocks: ${each.src}`);
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const small = new Set();
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!node.data.trim() || !parent.checkVisibility() || parent.closest("script,style")) continue;
    const size = parseFloat(getComputedStyle(parent).fontSize);
    if (size < 12 && !parent.closest("svg,sup,sub")) {
      small.add(`${size}px: ${node.data.trim().slice(0, 40)}`);
    }
  }
  for (const each of [...small].slice(0, 5)) troubles.push(`hard to read, ${each}`);

  window.printed = () => {
    const found = [];
    const seen = (selector) => one(selector)?.checkVisibility();
    if (seen("header nav") || seen("header form")) found.push("menus are printed");
    if (!seen("main")) found.push("there is nothing to print");
    const dark = getComputedStyle(document.body).backgroundColor.match(/\d+(\.\d+)?/g) ?? [];
    const [red, green, blue, alpha = "1"] = dark;
    if (alpha !== "0" && Math.min(red, green, blue) < 230) found.push("its ground is printed");
    return found;
  };
  return { troubles, long: document.documentElement.outerHTML.length > 2000 };
})();
