package syntax

// arg is one part of a rule: a token or another rule.
type arg uint16

const (
	argID   arg = 0x0fff
	argTok  arg = 0x1000
	argRule arg = 0x2000
	argOpt  arg = 0x3000 // a rule that may be absent
	argKind arg = 0xf000
)

func (a arg) isTok() bool { return a&argKind == argTok }
func (a arg) isOpt() bool { return a&argKind == argOpt }
func (a arg) tok() Token  { return Token(a & argID) }
func (a arg) rule() Rule  { return Rule(a & argID) }

// act is what a rule does with its parts.
type act uint8

const (
	actOr   act = iota + 1 // one of the parts; makes no node
	actAnd                 // all parts
	actList                // many of the first part
)

// production is the right side of a rule.
type production struct {
	act  act
	args []arg
	// fold leaves an actAnd with a single child to that child.
	fold bool
	// blank adds an absent child to an actAnd.
	blank bool
	// sep tells that the second part of an actList separates the first ones,
	// end that it may also stand last.
	sep, end bool
}

func t(t Token) arg  { return argTok | arg(t) }
func r(r Rule) arg   { return argRule | arg(r) }
func opt(r Rule) arg { return argOpt | arg(r) }

func or(a ...arg) production     { return production{act: actOr, args: a} }
func and(a ...arg) production    { return production{act: actAnd, args: a} }
func fold(a ...arg) production   { return production{act: actAnd, args: a, fold: true} }
func blank(a ...arg) production  { return production{act: actAnd, args: a, blank: true} }
func many(a arg) production      { return production{act: actList, args: []arg{a}} }
func list(a, sep arg) production { return production{act: actList, args: []arg{a, sep}, sep: true} }
func listEnd(a, s arg) production {
	return production{act: actList, args: []arg{a, s}, sep: true, end: true}
}

// grammar gives the grammar of the releases from v1.12 on, or of those before,
// which have no "@" between operands. An alternative is chosen by the next
// token alone.
func grammar(matMul bool) [numRules]production {
	g := rules()
	if !matMul {
		g[RuleAugassign] = without(g[RuleAugassign], t(TokDelAtEqual))
		g[RuleTermOp] = without(g[RuleTermOp], t(TokOpAt))
	}
	return g
}

func without(p production, a arg) production {
	var args []arg
	for _, b := range p.args {
		if b != a {
			args = append(args, b)
		}
	}
	p.args = args
	return p
}

func rules() [numRules]production {
	return [numRules]production{
		RuleSingleInput:               or(t(TokNewline), r(RuleSimpleStmt), r(RuleCompoundStmt)),
		RuleFileInput:                 fold(opt(RuleFileInput2)),
		RuleFileInput2:                many(r(RuleFileInput3)),
		RuleFileInput3:                or(t(TokNewline), r(RuleStmt)),
		RuleEvalInput:                 fold(r(RuleTestlist), opt(RuleEvalInput2)),
		RuleEvalInput2:                and(t(TokNewline)),
		RuleDecorator:                 and(t(TokOpAt), r(RuleDottedName), opt(RuleTrailerParen), t(TokNewline)),
		RuleDecorators:                many(r(RuleDecorator)),
		RuleDecorated:                 fold(r(RuleDecorators), r(RuleDecoratedBody)),
		RuleDecoratedBody:             or(r(RuleClassdef), r(RuleFuncdef), r(RuleAsyncFuncdef)),
		RuleAsyncFuncdef:              and(t(TokKwAsync), r(RuleFuncdef)),
		RuleFuncdef:                   blank(t(TokKwDef), t(TokName), t(TokDelParenOpen), opt(RuleTypedargslist), t(TokDelParenClose), opt(RuleFuncdefrettype), t(TokDelColon), r(RuleSuite)),
		RuleFuncdefrettype:            fold(t(TokDelMinusMore), r(RuleTest)),
		RuleTypedargslist:             listEnd(r(RuleTypedargslistItem), t(TokDelComma)),
		RuleTypedargslistItem:         or(r(RuleTypedargslistName), r(RuleTypedargslistStar), r(RuleTypedargslistDblStar)),
		RuleTypedargslistName:         fold(t(TokName), opt(RuleTypedargslistColon), opt(RuleTypedargslistEqual)),
		RuleTypedargslistStar:         and(t(TokOpStar), opt(RuleTfpdef)),
		RuleTypedargslistDblStar:      and(t(TokOpDblStar), t(TokName), opt(RuleTypedargslistColon)),
		RuleTypedargslistColon:        fold(t(TokDelColon), r(RuleTest)),
		RuleTypedargslistEqual:        fold(t(TokDelEqual), r(RuleTest)),
		RuleTfpdef:                    and(t(TokName), opt(RuleTypedargslistColon)),
		RuleVarargslist:               listEnd(r(RuleVarargslistItem), t(TokDelComma)),
		RuleVarargslistItem:           or(r(RuleVarargslistName), r(RuleVarargslistStar), r(RuleVarargslistDblStar)),
		RuleVarargslistName:           fold(t(TokName), opt(RuleVarargslistEqual)),
		RuleVarargslistStar:           and(t(TokOpStar), opt(RuleVfpdef)),
		RuleVarargslistDblStar:        and(t(TokOpDblStar), t(TokName)),
		RuleVarargslistEqual:          fold(t(TokDelEqual), r(RuleTest)),
		RuleVfpdef:                    fold(t(TokName)),
		RuleStmt:                      or(r(RuleCompoundStmt), r(RuleSimpleStmt)),
		RuleSimpleStmt:                fold(r(RuleSimpleStmt2), t(TokNewline)),
		RuleSimpleStmt2:               listEnd(r(RuleSmallStmt), t(TokDelSemicolon)),
		RuleSmallStmt:                 or(r(RuleDelStmt), r(RulePassStmt), r(RuleFlowStmt), r(RuleImportStmt), r(RuleGlobalStmt), r(RuleNonlocalStmt), r(RuleAssertStmt), r(RuleExprStmt)),
		RuleExprStmt:                  and(r(RuleTestlistStarExpr), opt(RuleExprStmt2)),
		RuleExprStmt2:                 or(r(RuleExprStmtAugassign), r(RuleExprStmtAssignList)),
		RuleExprStmtAugassign:         fold(r(RuleAugassign), r(RuleExprStmt6)),
		RuleExprStmtAssignList:        many(r(RuleExprStmtAssign)),
		RuleExprStmtAssign:            fold(t(TokDelEqual), r(RuleExprStmt6)),
		RuleExprStmt6:                 or(r(RuleYieldExpr), r(RuleTestlistStarExpr)),
		RuleTestlistStarExpr:          listEnd(r(RuleTestlistStarExpr2), t(TokDelComma)),
		RuleTestlistStarExpr2:         or(r(RuleStarExpr), r(RuleTest)),
		RuleAugassign:                 or(t(TokDelPlusEqual), t(TokDelMinusEqual), t(TokDelStarEqual), t(TokDelAtEqual), t(TokDelSlashEqual), t(TokDelPercentEqual), t(TokDelAmpersandEqual), t(TokDelPipeEqual), t(TokDelCaretEqual), t(TokDelDblLessEqual), t(TokDelDblMoreEqual), t(TokDelDblStarEqual), t(TokDelDblSlashEqual)),
		RuleDelStmt:                   and(t(TokKwDel), r(RuleExprlist)),
		RulePassStmt:                  and(t(TokKwPass)),
		RuleFlowStmt:                  or(r(RuleBreakStmt), r(RuleContinueStmt), r(RuleReturnStmt), r(RuleRaiseStmt), r(RuleYieldStmt)),
		RuleBreakStmt:                 and(t(TokKwBreak)),
		RuleContinueStmt:              and(t(TokKwContinue)),
		RuleReturnStmt:                and(t(TokKwReturn), opt(RuleTestlist)),
		RuleYieldStmt:                 and(r(RuleYieldExpr)),
		RuleRaiseStmt:                 and(t(TokKwRaise), opt(RuleRaiseStmtArg)),
		RuleRaiseStmtArg:              fold(r(RuleTest), opt(RuleRaiseStmtFrom)),
		RuleRaiseStmtFrom:             fold(t(TokKwFrom), r(RuleTest)),
		RuleImportStmt:                or(r(RuleImportName), r(RuleImportFrom)),
		RuleImportName:                and(t(TokKwImport), r(RuleDottedAsNames)),
		RuleImportFrom:                and(t(TokKwFrom), r(RuleImportFrom2), t(TokKwImport), r(RuleImportFrom3)),
		RuleImportFrom2:               or(r(RuleDottedName), r(RuleImportFrom2b)),
		RuleImportFrom2b:              fold(r(RuleOneOrMorePeriodOrEllipsis), opt(RuleDottedName)),
		RuleImportFrom3:               or(t(TokOpStar), r(RuleImportAsNamesParen), r(RuleImportAsNames)),
		RuleImportAsNamesParen:        fold(t(TokDelParenOpen), r(RuleImportAsNames), t(TokDelParenClose)),
		RuleOneOrMorePeriodOrEllipsis: many(r(RulePeriodOrEllipsis)),
		RulePeriodOrEllipsis:          or(t(TokDelPeriod), t(TokEllipsis)),
		RuleImportAsName:              and(t(TokName), opt(RuleAsName)),
		RuleDottedAsName:              fold(r(RuleDottedName), opt(RuleAsName)),
		RuleAsName:                    fold(t(TokKwAs), t(TokName)),
		RuleImportAsNames:             listEnd(r(RuleImportAsName), t(TokDelComma)),
		RuleDottedAsNames:             list(r(RuleDottedAsName), t(TokDelComma)),
		RuleDottedName:                list(t(TokName), t(TokDelPeriod)),
		RuleGlobalStmt:                and(t(TokKwGlobal), r(RuleNameList)),
		RuleNonlocalStmt:              and(t(TokKwNonlocal), r(RuleNameList)),
		RuleNameList:                  list(t(TokName), t(TokDelComma)),
		RuleAssertStmt:                and(t(TokKwAssert), r(RuleTest), opt(RuleAssertStmtExtra)),
		RuleAssertStmtExtra:           fold(t(TokDelComma), r(RuleTest)),
		RuleCompoundStmt:              or(r(RuleIfStmt), r(RuleWhileStmt), r(RuleForStmt), r(RuleTryStmt), r(RuleWithStmt), r(RuleFuncdef), r(RuleClassdef), r(RuleDecorated), r(RuleAsyncStmt)),
		RuleAsyncStmt:                 and(t(TokKwAsync), r(RuleAsyncStmt2)),
		RuleAsyncStmt2:                or(r(RuleFuncdef), r(RuleWithStmt), r(RuleForStmt)),
		RuleIfStmt:                    and(t(TokKwIf), r(RuleTest), t(TokDelColon), r(RuleSuite), opt(RuleIfStmtElifList), opt(RuleElseStmt)),
		RuleIfStmtElifList:            many(r(RuleIfStmtElif)),
		RuleIfStmtElif:                and(t(TokKwElif), r(RuleTest), t(TokDelColon), r(RuleSuite)),
		RuleWhileStmt:                 and(t(TokKwWhile), r(RuleTest), t(TokDelColon), r(RuleSuite), opt(RuleElseStmt)),
		RuleForStmt:                   and(t(TokKwFor), r(RuleExprlist), t(TokKwIn), r(RuleTestlist), t(TokDelColon), r(RuleSuite), opt(RuleElseStmt)),
		RuleTryStmt:                   and(t(TokKwTry), t(TokDelColon), r(RuleSuite), r(RuleTryStmt2)),
		RuleTryStmt2:                  or(r(RuleTryStmtExceptAndMore), r(RuleTryStmtFinally)),
		RuleTryStmtExceptAndMore:      fold(r(RuleTryStmtExceptList), opt(RuleElseStmt), opt(RuleTryStmtFinally)),
		RuleTryStmtExcept:             and(t(TokKwExcept), opt(RuleTryStmtAsName), t(TokDelColon), r(RuleSuite)),
		RuleTryStmtAsName:             fold(r(RuleTest), opt(RuleAsName)),
		RuleTryStmtExceptList:         many(r(RuleTryStmtExcept)),
		RuleTryStmtFinally:            and(t(TokKwFinally), t(TokDelColon), r(RuleSuite)),
		RuleElseStmt:                  fold(t(TokKwElse), t(TokDelColon), r(RuleSuite)),
		RuleWithStmt:                  and(t(TokKwWith), r(RuleWithStmtList), t(TokDelColon), r(RuleSuite)),
		RuleWithStmtList:              list(r(RuleWithItem), t(TokDelComma)),
		RuleWithItem:                  fold(r(RuleTest), opt(RuleWithItemAs)),
		RuleWithItemAs:                fold(t(TokKwAs), r(RuleExpr)),
		RuleSuite:                     or(r(RuleSuiteBlock), r(RuleSimpleStmt)),
		RuleSuiteBlock:                fold(t(TokNewline), t(TokIndent), r(RuleSuiteBlockStmts), t(TokDedent)),
		RuleSuiteBlockStmts:           many(r(RuleStmt)),
		RuleTest:                      or(r(RuleLambdef), r(RuleTestIfExpr)),
		RuleTestIfExpr:                fold(r(RuleOrTest), opt(RuleTestIfElse)),
		RuleTestIfElse:                and(t(TokKwIf), r(RuleOrTest), t(TokKwElse), r(RuleTest)),
		RuleTestNocond:                or(r(RuleLambdefNocond), r(RuleOrTest)),
		RuleLambdef:                   blank(t(TokKwLambda), opt(RuleVarargslist), t(TokDelColon), r(RuleTest)),
		RuleLambdefNocond:             blank(t(TokKwLambda), opt(RuleVarargslist), t(TokDelColon), r(RuleTestNocond)),
		RuleOrTest:                    list(r(RuleAndTest), t(TokKwOr)),
		RuleAndTest:                   list(r(RuleNotTest), t(TokKwAnd)),
		RuleNotTest:                   or(r(RuleNotTest2), r(RuleComparison)),
		RuleNotTest2:                  and(t(TokKwNot), r(RuleNotTest)),
		RuleComparison:                list(r(RuleExpr), r(RuleCompOp)),
		RuleCompOp:                    or(t(TokOpLess), t(TokOpMore), t(TokOpDblEqual), t(TokOpLessEqual), t(TokOpMoreEqual), t(TokOpNotEqual), t(TokKwIn), r(RuleCompOpNotIn), r(RuleCompOpIs)),
		RuleCompOpNotIn:               and(t(TokKwNot), t(TokKwIn)),
		RuleCompOpIs:                  and(t(TokKwIs), opt(RuleCompOpIsNot)),
		RuleCompOpIsNot:               and(t(TokKwNot)),
		RuleStarExpr:                  and(t(TokOpStar), r(RuleExpr)),
		RuleExpr:                      list(r(RuleXorExpr), t(TokOpPipe)),
		RuleXorExpr:                   list(r(RuleAndExpr), t(TokOpCaret)),
		RuleAndExpr:                   list(r(RuleShiftExpr), t(TokOpAmpersand)),
		RuleShiftExpr:                 list(r(RuleArithExpr), r(RuleShiftOp)),
		RuleShiftOp:                   or(t(TokOpDblLess), t(TokOpDblMore)),
		RuleArithExpr:                 list(r(RuleTerm), r(RuleArithOp)),
		RuleArithOp:                   or(t(TokOpPlus), t(TokOpMinus)),
		RuleTerm:                      list(r(RuleFactor), r(RuleTermOp)),
		RuleTermOp:                    or(t(TokOpStar), t(TokOpAt), t(TokOpSlash), t(TokOpPercent), t(TokOpDblSlash)),
		RuleFactor:                    or(r(RuleFactor2), r(RulePower)),
		RuleFactor2:                   fold(r(RuleFactorOp), r(RuleFactor)),
		RuleFactorOp:                  or(t(TokOpPlus), t(TokOpMinus), t(TokOpTilde)),
		RulePower:                     fold(r(RuleAtomExpr), opt(RulePowerDblStar)),
		RuleAtomExpr:                  or(r(RuleAtomExprAwait), r(RuleAtomExprNormal)),
		RuleAtomExprAwait:             and(t(TokKwAwait), r(RuleAtom), opt(RuleAtomExprTrailers)),
		RuleAtomExprNormal:            fold(r(RuleAtom), opt(RuleAtomExprTrailers)),
		RuleAtomExprTrailers:          many(r(RuleTrailer)),
		RulePowerDblStar:              fold(t(TokOpDblStar), r(RuleFactor)),
		RuleAtom:                      or(t(TokName), t(TokInteger), t(TokFloatOrImag), t(TokString), t(TokBytes), t(TokEllipsis), t(TokKwNone), t(TokKwTrue), t(TokKwFalse), r(RuleAtomParen), r(RuleAtomBracket), r(RuleAtomBrace)),
		RuleAtomParen:                 and(t(TokDelParenOpen), opt(RuleAtom2b), t(TokDelParenClose)),
		RuleAtom2b:                    or(r(RuleYieldExpr), r(RuleTestlistComp)),
		RuleAtomBracket:               and(t(TokDelBracketOpen), opt(RuleTestlistComp), t(TokDelBracketClose)),
		RuleAtomBrace:                 and(t(TokDelBraceOpen), opt(RuleDictorsetmaker), t(TokDelBraceClose)),
		RuleTestlistComp:              fold(r(RuleTestlistComp2), opt(RuleTestlistComp3)),
		RuleTestlistComp2:             or(r(RuleStarExpr), r(RuleTest)),
		RuleTestlistComp3:             or(r(RuleCompFor), r(RuleTestlistComp3b)),
		RuleTestlistComp3b:            fold(t(TokDelComma), opt(RuleTestlistComp3c)),
		RuleTestlistComp3c:            listEnd(r(RuleTestlistComp2), t(TokDelComma)),
		RuleTrailer:                   or(r(RuleTrailerParen), r(RuleTrailerBracket), r(RuleTrailerPeriod)),
		RuleTrailerParen:              and(t(TokDelParenOpen), opt(RuleArglist), t(TokDelParenClose)),
		RuleTrailerBracket:            and(t(TokDelBracketOpen), r(RuleSubscriptlist), t(TokDelBracketClose)),
		RuleTrailerPeriod:             and(t(TokDelPeriod), t(TokName)),
		RuleSubscriptlist:             listEnd(r(RuleSubscript), t(TokDelComma)),
		RuleSubscript:                 or(r(RuleSubscript3), r(RuleSubscript2)),
		RuleSubscript2:                fold(r(RuleTest), opt(RuleSubscript3)),
		RuleSubscript3:                and(t(TokDelColon), opt(RuleSubscript3b)),
		RuleSubscript3b:               or(r(RuleSubscript3c), r(RuleSubscript3d)),
		RuleSubscript3c:               and(t(TokDelColon), opt(RuleTest)),
		RuleSubscript3d:               fold(r(RuleTest), opt(RuleSliceop)),
		RuleSliceop:                   and(t(TokDelColon), opt(RuleTest)),
		RuleExprlist:                  listEnd(r(RuleExprlist2), t(TokDelComma)),
		RuleExprlist2:                 or(r(RuleStarExpr), r(RuleExpr)),
		RuleTestlist:                  listEnd(r(RuleTest), t(TokDelComma)),
		RuleDictorsetmaker:            fold(r(RuleDictorsetmakerItem), opt(RuleDictorsetmakerTail)),
		RuleDictorsetmakerItem:        fold(r(RuleTest), opt(RuleDictorsetmakerColon)),
		RuleDictorsetmakerColon:       fold(t(TokDelColon), r(RuleTest)),
		RuleDictorsetmakerTail:        or(r(RuleCompFor), r(RuleDictorsetmakerList)),
		RuleDictorsetmakerList:        and(t(TokDelComma), opt(RuleDictorsetmakerList2)),
		RuleDictorsetmakerList2:       listEnd(r(RuleDictorsetmakerItem), t(TokDelComma)),
		RuleClassdef:                  blank(t(TokKwClass), t(TokName), opt(RuleClassdef2), t(TokDelColon), r(RuleSuite)),
		RuleClassdef2:                 fold(t(TokDelParenOpen), opt(RuleArglist), t(TokDelParenClose)),
		RuleArglist:                   listEnd(r(RuleArglist2), t(TokDelComma)),
		RuleArglist2:                  or(r(RuleArglistStar), r(RuleArglistDblStar), r(RuleArgument)),
		RuleArglistStar:               and(t(TokOpStar), r(RuleTest)),
		RuleArglistDblStar:            and(t(TokOpDblStar), r(RuleTest)),
		RuleArgument:                  fold(r(RuleTest), opt(RuleArgument2)),
		RuleArgument2:                 or(r(RuleCompFor), r(RuleArgument3)),
		RuleArgument3:                 fold(t(TokDelEqual), r(RuleTest)),
		RuleCompIter:                  or(r(RuleCompFor), r(RuleCompIf)),
		RuleCompFor:                   blank(t(TokKwFor), r(RuleExprlist), t(TokKwIn), r(RuleOrTest), opt(RuleCompIter)),
		RuleCompIf:                    and(t(TokKwIf), r(RuleTestNocond), opt(RuleCompIter)),
		RuleYieldExpr:                 and(t(TokKwYield), opt(RuleYieldArg)),
		RuleYieldArg:                  or(r(RuleYieldArgFrom), r(RuleTestlist)),
		RuleYieldArgFrom:              and(t(TokKwFrom), r(RuleTest)),
	}
}
