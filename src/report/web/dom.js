// dom.js - elements with their attributes and children.

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Text for those who hear a page.
export const unseen = (text) => make('span', { class: 'unseen' }, text);
